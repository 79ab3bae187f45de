"""What is raised for a setting that cannot be meant."""


class SettingsError(ValueError):
    """A setting has a value that cannot be meant; the text names the setting and the values allowed."""
