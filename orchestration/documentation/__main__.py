"""`make dictionary`: writes the tracked files that follow from others."""

from orchestration.documentation import dictionary, exposures
from orchestration.settings import PROJECT_DIRECTORY


def main() -> None:
    """Write them all, and say which."""
    rows = dictionary.definitions()
    texts = {
        dictionary.BLOCKS: dictionary.blocks(rows),
        dictionary.PAGE: dictionary.page(rows, dictionary.askable()),
        **exposures.texts(),
    }
    for path, text in texts.items():
        (PROJECT_DIRECTORY / path).write_text(text, encoding="utf-8")
        print(path)


main()
