"""Sphinx settings: MyST pages, furo, our own names checked."""

from importlib.metadata import version as version_of

project = "django-simple-sms"
author = "django-simple-sms contributors"
copyright = f"2026, {author}"  # noqa: A001
version = release = version_of("django-simple-sms")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"{project} {version}"

myst_enable_extensions = ["colon_fence", "deflist"]
# links to headings: [](settings.md#djsms-backend)
myst_heading_anchors = 3

# Every reference to a name of djsms must resolve. Those of Django and the standard library would
# need their inventories from the network, which a build must not depend on.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!djsms).*")]
