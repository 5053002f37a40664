"""Sphinx settings: MyST pages, furo, our own names checked."""

import pathlib
import sys
from importlib.metadata import version as version_of

import django
from django.conf import settings

sys.path.insert(0, str(pathlib.Path(__file__).parent / "_ext"))

import drawings

# models can only be imported, and so documented, in a project
settings.configure(SECRET_KEY="none", INSTALLED_APPS=["djsms"])
django.setup()

project = "django-simple-sms"
author = "django-simple-sms contributors"
copyright = f"2026, {author}"  # noqa: A001
version = release = version_of("django-simple-sms")

extensions = [
    "myst_parser",
    "notfound.extension",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "sphinx_llms_txt",
    "backend_features",
    # by dot, which .ci/system-packages installs; without it the build fails and says so
    "drawings",
    "rooms",
]
exclude_patterns = ["_build"]

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = f"{project} {version}"
html_favicon = "_static/mark.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = True
html_show_sourcelink = False
html_theme_options = {
    "light_logo": "mark.svg",
    "dark_logo": "mark-dark.svg",
    "light_css_variables": {
        "color-brand-primary": "#0b5cad",
        "color-brand-content": "#0b5cad",
        "more-this-way": "rgb(0 0 0 / 22%)",
        **drawings.COLOURS["light"],
    },
    "dark_css_variables": {
        "color-brand-primary": "#8cc2ff",
        "color-brand-content": "#8cc2ff",
        "more-this-way": "rgb(255 255 255 / 20%)",
        **drawings.COLOURS["dark"],
    },
}

# what a person types is copied, and neither the prompt nor what the program answers
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True

# the page for what is not there lies at the root, whatever was asked for
notfound_urls_prefix = "/"
notfound_context = {
    "title": "Not found",
    "body": """<h1>There is no such page</h1>
<p>It may have moved. The search finds pages by the words that people use,
or begin at the <a href="/index.html">front page</a>.</p>""",
}

llms_txt_summary = (
    "Send text messages (SMS) from a Django project, follow them to the handset by the provider's "
    "status reports, and receive replies. Every provider is a plugin, named in one setting."
)

myst_enable_extensions = ["attrs_block", "colon_fence", "deflist"]
# links to headings: [](settings.md#djsms-backend)
myst_heading_anchors = 3

# Every reference to a name of djsms must resolve. Those of Django and the standard library would
# need their inventories from the network, which a build must not depend on.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!djsms).*")]
# in signatures, but with no page of their own: what an account's settings become, a type variable
nitpick_ignore = [("py:class", "djsms.conf.Account"), ("py:class", "djsms.webhooks.T")]
