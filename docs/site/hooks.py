"""What MkDocs calls for each page: its theme's search is a dialog without a name, which a screen reader cannot tell."""

UNNAMED, NAMED = 'role="dialog"', 'role="dialog" aria-label="Search"'


def on_post_page(output: str, **_) -> str:
    """A page's HTML, with the dialog's name."""
    return output.replace(UNNAMED, NAMED)


def on_post_template(output_content: str, template_name: str, **_) -> str:
    """The same for the page of what is not there."""
    return output_content.replace(UNNAMED, NAMED) if template_name.endswith(".html") else output_content
