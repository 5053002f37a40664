"""Sphinx settings: MyST pages, furo, our own names checked."""

import pathlib
import sys
from importlib.metadata import version as version_of

import django
from django.conf import settings

sys.path.insert(0, str(pathlib.Path(__file__).parent / "_ext"))

# models can only be imported, and so documented, in a project
settings.configure(SECRET_KEY="none", INSTALLED_APPS=["djsms"])
django.setup()

project = "django-simple-sms"
author = "django-simple-sms contributors"
copyright = f"2026, {author}"  # noqa: A001
version = release = version_of("django-simple-sms")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.graphviz",
    "backend_features",
    "rooms",
]
# drawn by dot, which .ci/system-packages installs; without it the build fails and says so
graphviz_output_format = "svg"
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
# in signatures, but with no page of their own: what an account's settings become, a type variable
nitpick_ignore = [("py:class", "djsms.conf.Account"), ("py:class", "djsms.webhooks.T")]
