"""Phones that do not exist, played by a page: an app for Django, and a backend for djsms."""
