"""How a page is shown: which part of its plane, and which side up."""

from __future__ import annotations

from dataclasses import dataclass

import pypdfium2


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page as it is shown, turned by so many quarters. Its upper left corner is at `left` and `top` of the plane.

    A page that is read `from_right` counts from its upper right corner: then all that holds of others holds of it.
    """

    left: float
    top: float
    width: float
    height: float
    turned: int
    from_right: bool = False

    @classmethod
    def of(cls, page: pypdfium2.PdfPage) -> Sheet:
        left, bottom, right, top = page.get_bbox()
        return cls(left, top, right - left, top - bottom, page.get_rotation() // 90)

    @property
    def shown_height(self) -> float:
        """From the upper edge to the lower one, as it is shown."""
        return self.width if self.turned % 2 else self.height

    @property
    def shown_width(self) -> float:
        """From the left edge to the right one, as it is shown."""
        return self.height if self.turned % 2 else self.width

    def shown(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the plane stands, counted from the upper corner where reading the page begins."""
        x, y = x - self.left, self.top - y
        if self.from_right:
            return self.width - x, y
        match self.turned:
            case 1:
                return self.height - y, x
            case 2:
                return self.width - x, self.height - y
            case 3:
                return y, self.width - x
        return x, y
