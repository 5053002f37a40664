"""What happens, told to those who count or trace it, if the settings say that anybody does."""
