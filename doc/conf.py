"""Settings of Sphinx for the documentation of skmtl."""

import os

import skmtl

os.environ.setdefault("MPLBACKEND", "Agg")  # the examples are run while building

project = "skmtl"
author = "The skmtl developers"
project_copyright = "2026, the skmtl developers"
release = version = skmtl.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",  # the pages load nothing from the network
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"plot_",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,  # a page that loads scripts from elsewhere
}
autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's sections give the types
numpydoc_show_class_members = False  # the templates list the methods
exclude_patterns = ["_build", "gallery/*.ipynb"]
# Docstrings inherited from scikit-learn refer to its own glossary and user guide.
suppress_warnings = ["ref.ref", "ref.term"]
templates_path = ["_templates"]
default_role = "literal"

html_theme = "pydata_sphinx_theme"
html_title = f"skmtl {release}"
html_theme_options = {"show_prev_next": False}
