"""System checks of the settings, with stable ids."""
