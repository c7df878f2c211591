"""Settings of Sphinx for the documentation of skmtl."""

import skmtl

project = "skmtl"
author = "The skmtl developers"
project_copyright = "2026, the skmtl developers"
release = version = skmtl.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
]
autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's sections give the types
numpydoc_show_class_members = False  # the templates list the methods
exclude_patterns = ["_build"]
# Docstrings inherited from scikit-learn refer to its own glossary and user guide.
suppress_warnings = ["ref.ref", "ref.term"]
templates_path = ["_templates"]
default_role = "literal"

html_theme = "pydata_sphinx_theme"
html_title = f"skmtl {release}"
html_theme_options = {"show_prev_next": False}
