"""Sheets of images: generations, reconstructions, interpolations, comparisons."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from logan.figures.checks import expect_shape, expect_some
from logan.figures.style import SMALL, figure_of, styled

_GAP = 2
_DPI = 100
_SHEET_PIXELS = 840
_MOST_SCALE = 8
_IMAGE_PIXELS = 256  # of the figure; a smaller scale suffices for large images
_REST = 0.05  # inches around a sheet
_HEADING = 8.5  # points
_HEADING_INCHES = 0.22
_CAPTION_INCHES = 0.15
_BREAK_INCHES = 0.12
_NARROWEST_HEADING = 2.4  # inches; what does not fit takes more lines
_MOST_VALUES = 11  # that stand over a traversal's columns


def image_grid(images: np.ndarray, columns: int | None = None, gap: int = _GAP) -> np.ndarray:
    """Lays images out in rows, with white between them and in cells left over.

    Args:
        images: float [N, height, width, channels] in [-1, 1], 1 or 3 channels.
        columns: images in a row; by default as many as make the sheet square.
        gap: pixels between images, at least 0.

    Returns:
        uint8 [rows * (height + gap) - gap, columns * (width + gap) - gap, channels].

    Raises:
        ValueError: if images are not of that kind, there are none, or columns is below 1.
    """
    pixels = _to_pixels("images", images)
    count, height, width, channels = pixels.shape
    columns = math.ceil(math.sqrt(count)) if columns is None else columns
    if columns < 1 or gap < 0:
        raise ValueError(f"Expected columns >= 1 and gap >= 0. Received: {columns}, {gap}")
    rows = math.ceil(count / columns)
    shape = (rows * (height + gap), columns * (width + gap), channels)
    sheet = np.full(shape, 255, dtype=np.uint8)
    for index, image in enumerate(pixels):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet[: shape[0] - gap, : shape[1] - gap]


class Sheet:
    """Lines of images under each other, headings above them, labels and captions beside and below.

    Every image pixel covers whole pixels at multiples of 100 dpi; on a sheet too wide for that,
    one of images of 128 pixels or more, at a larger multiple.

    Args:
        columns: images in a line, at least 1.
        image_shape: (height, width, channels) of every image.
    """

    def __init__(self, columns: int, image_shape: tuple[int, ...]):
        self.columns = columns
        self._shape = image_shape
        self._gap = gap_of(image_shape)
        self._width = columns * (image_shape[1] + self._gap) - self._gap
        self._scale = _scale(self._width, image_shape[1])
        self._parts: list[np.ndarray] = []
        self._ends_in_line = False
        self._labels: list[tuple[float, str]] = []
        self._caption_labels: list[tuple[float, str]] = []
        self._captions: list[tuple[float, float, str]] = []
        self._headings: list[tuple[float, str, str]] = []

    def add_line(self, images: np.ndarray, label: str = "") -> None:
        """Adds up to `columns` images side by side, more of them in further lines.

        Args:
            images: float [N, height, width, channels] in [-1, 1], at least one.
            label: stands on the left.
        """
        if self._ends_in_line:
            self._add_space(self._gap)
        strip = image_grid(images, self.columns, self._gap)
        self._labels.append((self._top + (len(strip) - 1) / 2, label))
        self._parts.append(strip)
        self._ends_in_line = True

    def add_captions(self, captions: Sequence[str], label: str = "") -> None:
        """Adds a short text under each image of the last line.

        Args:
            captions: up to `columns`; of one too wide for its image the end is shown.
            label: stands on the left.
        """
        height = self._rows(_CAPTION_INCHES)
        middle = self._top + height / 2
        room = self._shape[1] * self._scale / _DPI
        for column, caption in enumerate(captions):
            x = column * (self._shape[1] + self._gap) + (self._shape[1] - 1) / 2
            self._captions.append((x, middle, _end_of(caption, room)))
        self._caption_labels.append((middle, label))
        self._add_space(height)

    def add_heading(self, text: str, weight: str = "bold") -> None:
        """Adds a text over what follows, in as many lines as it needs.

        Args:
            text: what to say.
            weight: of the font.
        """
        inches = max(_NARROWEST_HEADING, self._width * self._scale / _DPI)
        for line in _wrapped(text, inches, weight):
            height = self._rows(_HEADING_INCHES)
            self._headings.append((self._top + 0.42 * height, line, weight))
            self._add_space(height)

    def add_break(self) -> None:
        """Adds the white that sets two groups of lines apart."""
        self._add_space(max(2 * self._gap, self._rows(_BREAK_INCHES)))

    def figure(self) -> Figure:
        """The sheet as it stands.

        Returns:
            The figure.
        """
        labels = self._labels + self._caption_labels
        widths = [_text_inches(text, _HEADING, weight) for _, text, weight in self._headings]
        width = self._width * self._scale / _DPI
        axes = _sheet_axes(
            np.concatenate(self._parts),
            self._scale,
            left=_room_for([text for _, text in labels]),
            right=max([_REST, *(needed + _REST - width for needed in widths)]),
        )
        axes.set_yticks([y for y, _ in labels], [text for _, text in labels])
        for x, y, text in self._captions:
            axes.text(x, y, text, ha="center", va="center_baseline", fontsize=SMALL)
        for y, text, weight in self._headings:
            axes.text(-0.5, y, text, va="center_baseline", fontsize=_HEADING, fontweight=weight)
        return figure_of(axes)

    def _add_space(self, rows: int) -> None:
        """Adds white, its height in image pixels."""
        self._parts.append(np.full((rows, self._width, self._shape[2]), 255, np.uint8))
        self._ends_in_line = False

    @property
    def _top(self) -> int:
        return sum(map(len, self._parts))

    def _rows(self, inches: float) -> int:
        return math.ceil(inches * _DPI / self._scale)


def _end_of(text: str, inches: float) -> str:
    """As much of a caption's end as has room, after an ellipsis if that is not all."""
    shown = text
    while _text_inches(shown, SMALL) > inches and len(text) > 1:
        text = text[1:]
        shown = f"…{text}"
    return shown


def gap_of(image_shape: tuple[int, ...]) -> int:
    """The white between images on a sheet, in image pixels, which large images need more of.

    Args:
        image_shape: (height, width, channels).

    Returns:
        At least 2.
    """
    return max(_GAP, image_shape[1] // 16)


@styled
def reconstruction_figure(
    inputs: np.ndarray,
    reconstructions: np.ndarray,
    errors: np.ndarray | None = None,
    *,
    columns: int = 8,
    measure: str = "error",
) -> Figure:
    """Inputs, and under each its reconstruction.

    Args:
        inputs: float [N, height, width, channels] in [-1, 1], 1 or 3 channels.
        reconstructions: G(E(x)), of the same shape and range.
        errors: [N], printed under each pair.
        columns: pairs in a row.
        measure: what `errors` are called.

    Returns:
        The figure. Every image pixel covers whole pixels at multiples of 100 dpi.

    Raises:
        ValueError: if the arrays are not of that kind.
    """
    inputs = np.asarray(inputs)
    expect_some("inputs", inputs)
    reconstructions = expect_shape("reconstructions", reconstructions, inputs.shape)
    if errors is not None:
        errors = expect_shape("errors", errors, (len(inputs),))
    sheet = Sheet(max(1, min(columns, len(inputs))), inputs.shape[1:])
    for start in range(0, len(inputs), sheet.columns):
        part = slice(start, start + sheet.columns)
        if start:
            sheet.add_break()
        sheet.add_line(inputs[part], "input")
        sheet.add_line(reconstructions[part], "reconstruction")
        if errors is not None:
            sheet.add_captions([f"{error:.3f}" for error in errors[part]], measure)
    return sheet.figure()


@styled
def interpolation_figure(
    rows: np.ndarray,
    starts: np.ndarray | None = None,
    ends: np.ndarray | None = None,
    *,
    way: str = "",
) -> Figure:
    """Rows of decoded latents on the way from one encoding to another.

    Args:
        rows: float [R, S, height, width, channels] in [-1, 1], 1 or 3 channels: the generator
            at S latents between the encodings of two inputs.
        starts: float [R, height, width, channels], the real inputs on the left.
        ends: float [R, height, width, channels], the real inputs on the right.
        way: named over the rows, such as "spherical".

    Returns:
        The figure. Every image pixel covers whole pixels at multiples of 100 dpi.

    Raises:
        ValueError: if the arrays are not of that kind.
    """
    rows = _expect_rows(rows)
    count, steps, *image_shape = rows.shape
    blocks = [rows]
    if starts is not None:
        blocks.insert(0, expect_shape("starts", starts, (count, *image_shape))[:, None])
    if ends is not None:
        blocks.append(expect_shape("ends", ends, (count, *image_shape))[:, None])
    sheet, columns, _ = _join_blocks(blocks)
    says = f"{way}, {steps} steps" if way else f"{steps} steps"
    choices = [f"decoded between the two encodings, {says}", f"decoded, {says}", "decoded"]
    room = steps * image_shape[1] * _scale(sheet.shape[1], image_shape[1]) / _DPI
    heading = next((text for text in choices if _text_inches(text) <= room), choices[-1])
    labels = [heading if block is rows else "input" for block in blocks]
    ticks = [(float(np.mean(part)), label) for part, label in zip(columns, labels, strict=True)]
    return _labelled_figure(sheet, image_shape[1], ticks)


@styled
def traversal_figure(
    rows: np.ndarray,
    features: Sequence[int],
    values: np.ndarray,
    image: np.ndarray | None = None,
) -> Figure:
    """One latent decoded over and over, in each row with other values of one of its features.

    Args:
        rows: float [R, S, height, width, channels] in [-1, 1], 1 or 3 channels: in row r the
            generator at S values of feature `features[r]`.
        features: [R], the rows' labels.
        values: [S], the columns' labels.
        image: float [height, width, channels], the real input whose encoding the latent is;
            stands on the left of every row.

    Returns:
        The figure. Every image pixel covers whole pixels at multiples of 100 dpi.

    Raises:
        ValueError: if the arrays are not of that kind.
    """
    rows = _expect_rows(rows)
    count, steps, *image_shape = rows.shape
    features = expect_shape("features", np.asarray(features), (count,)).tolist()
    values = expect_shape("values", values, (steps,))
    blocks = [rows]
    if image is not None:
        image = expect_shape("image", image, tuple(image_shape))
        blocks.insert(0, np.stack([image] * count)[:, None])
    sheet, columns, middles = _join_blocks(blocks)
    shown = range(steps) if steps <= _MOST_VALUES else (0, steps - 1)
    ticks = [(columns[-1][index], f"{values[index]:.2g}".replace("-", "−")) for index in shown]
    if image is not None:
        ticks.insert(0, (columns[0][0], "input"))
    names = [f"feature {feature}" for feature in features]
    rows_named = list(zip(middles, names, strict=True))
    title = "value of the feature, the others as encoded"
    return _labelled_figure(sheet, image_shape[1], ticks, rows_named, title)


@styled
def comparison_sheet(
    rows: Sequence[tuple[str, np.ndarray]],
    *,
    columns: int | None = None,
    reconstructions: Sequence[tuple[str, np.ndarray]] = (),
) -> Figure:
    """Images of several sources under each other: data, plain, penalised.

    With reconstructions there are two blocks, each under a heading, as in figures 10 and 11 of the
    article.

    Args:
        rows: a label and its float [N, height, width, channels] in [-1, 1] for each source; N
            may differ, the rest may not.
        columns: images in a line; by default the largest N. A source with more takes more lines.
        reconstructions: rows of the second block, of the same kind: the held-out images first,
            then what each run with an encoder makes of them.

    Returns:
        The figure. Every image pixel covers whole pixels at multiples of 100 dpi.

    Raises:
        ValueError: if there are no rows, or their images differ in shape.
    """
    expect_some("rows", rows)
    shape = np.shape(rows[0][1])[1:]
    both = [*rows, *reconstructions]
    for label, images in both:
        expect_shape(f"images of {label!r}", images, (len(images), *shape))
    sheet = Sheet(max(len(images) for _, images in both) if columns is None else columns, shape)
    if reconstructions:
        sheet.add_heading("generations")
    _add_rows(sheet, rows)
    if reconstructions:
        sheet.add_break()
        sheet.add_break()
        sheet.add_heading("reconstructions of the same held-out images")
        _add_rows(sheet, reconstructions)
    return sheet.figure()


def _add_rows(sheet: Sheet, rows: Sequence[tuple[str, np.ndarray]]) -> None:
    for index, (label, images) in enumerate(rows):
        if index:
            sheet.add_break()
        sheet.add_line(images, label)


def _expect_rows(rows: np.ndarray) -> np.ndarray:
    rows = np.asarray(rows)
    if rows.ndim != 5:
        expected = "rows of shape [R, S, height, width, channels]"
        raise ValueError(f"Expected {expected}. Received: shape {rows.shape}")
    return rows


def _to_pixels(name: str, images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[3] not in (1, 3) or 0 in images.shape:
        expected = f"{name} of shape [N, height, width, 1 or 3]"
        raise ValueError(f"Expected {expected}. Received: shape {images.shape}")
    low, high = float(images.min()), float(images.max())
    if images.dtype.kind != "f" or not (low >= -1.001 and high <= 1.001):
        received = f"{images.dtype} in [{low:g}, {high:g}]"
        raise ValueError(f"Expected {name}: float in [-1, 1]. Received: {received}")
    return np.clip(np.rint((images.astype(np.float64) + 1) * 127.5), 0, 255).astype(np.uint8)


def _join_blocks(
    blocks: Sequence[np.ndarray],
) -> tuple[np.ndarray, list[list[float]], list[float]]:
    """Puts blocks of equally many rows side by side, white columns between them.

    Args:
        blocks: each float [R, S, height, width, channels].

    Returns:
        The sheet, the middles of each block's columns, and the middles of the rows.
    """
    height, width, channels = shape = blocks[0].shape[2:]
    gap = gap_of(shape)
    parts, columns, left = [], [], 0
    for images in blocks:
        steps = images.shape[1]
        strip = image_grid(np.reshape(images, (-1, *shape)), steps, gap)
        white = np.full((len(strip), 4 * gap, channels), 255, dtype=np.uint8)
        parts += [strip, white]
        columns.append([left + step * (width + gap) + (width - 1) / 2 for step in range(steps)])
        left += strip.shape[1] + 4 * gap
    rows = [row * (height + gap) + (height - 1) / 2 for row in range(len(blocks[0]))]
    return np.concatenate(parts[:-1], axis=1), columns, rows


def _labelled_figure(
    sheet: np.ndarray,
    image_width: int,
    columns: Sequence[tuple[float, str]],
    rows: Sequence[tuple[float, str]] = (),
    title: str = "",
) -> Figure:
    """The sheet with labels over some columns and beside some rows, each at a pixel."""
    scale, width = _scale(sheet.shape[1], image_width), sheet.shape[1]
    texts = [*columns, ((width - 1) / 2, title)]
    halves = [_text_inches(text) / 2 for _, text in texts]
    places = [(x + 0.5) * scale / _DPI for x, _ in texts]
    end = width * scale / _DPI
    left = max(half - place for half, place in zip(halves, places, strict=True))
    right = max(half - (end - place) for half, place in zip(halves, places, strict=True))
    axes = _sheet_axes(
        sheet,
        scale,
        left=max(_room_for([text for _, text in rows]) if rows else _REST, left + _REST),
        top=0.42 if title else 0.25,
        right=max(0.0, right) + _REST,
    )
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xlabel(title, fontsize=SMALL)
    axes.set_xticks([x for x, _ in columns], [text for _, text in columns])
    axes.set_yticks([y for y, _ in rows], [text for _, text in rows])
    return figure_of(axes)


def _scale(width: int, image_width: int) -> float:
    """Figure pixels to an image pixel: a whole number, or one divided by a whole number."""
    if width > _SHEET_PIXELS:
        return 1 / math.ceil(width / _SHEET_PIXELS)
    return min(_MOST_SCALE, _SHEET_PIXELS // width, max(1, _IMAGE_PIXELS // image_width))


def _text_inches(text: str, size: float = SMALL, weight: str = "normal") -> float:
    """How wide a text is printed, at most."""
    if not text:
        return 0.0
    path = TextPath((0, 0), text, prop=FontProperties(size=size, weight=weight))
    return 1.05 * float(path.get_extents().width) / 72  # letters are set on whole pixels


def _wrapped(text: str, inches: float, weight: str) -> list[str]:
    """The text in lines of at most that width, where words allow it."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _text_inches(longer, _HEADING, weight) <= inches:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _room_for(labels: Sequence[str]) -> float:
    """The left margin that the widest label needs, in inches."""
    widest = max(map(_text_inches, labels), default=0.0)
    return math.ceil(_DPI * (0.15 + widest)) / _DPI  # whole pixels, as everything on the sheet


def _sheet_axes(
    sheet: np.ndarray,
    scale: float,
    *,
    left: float = _REST,
    top: float = _REST,
    right: float = _REST,
) -> Axes:
    """Axes of exactly `scale` figure pixels to an image pixel, margins in inches."""
    height, width = (scale * side / _DPI for side in sheet.shape[:2])
    figure = Figure(figsize=(left + width + right, top + height + _REST), dpi=_DPI)
    total_width, total_height = figure.get_size_inches()
    place = (left / total_width, _REST / total_height, width / total_width, height / total_height)
    axes = figure.add_axes(place)
    colors = sheet if sheet.shape[2] == 3 else sheet.repeat(3, axis=2)
    # Where one pixel of the figure covers several of an image, leaving some out would alias.
    axes.imshow(colors, interpolation="nearest" if scale >= 1 else "antialiased", aspect="auto")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, pad=3)
    return axes
