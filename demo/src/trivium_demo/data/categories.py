"""The category tree, three levels deep. Numbered in reading order, so that a subtree is a range of numbers."""

from dataclasses import dataclass
from functools import cache

# root → branch → leaf → the things sold there
_TREE: dict[str, dict[str, dict[str, str]]] = {
    "Kitchen": {
        "Cookware": {
            "Pans": "Frying Pan,Saute Pan,Crepe Pan,Grill Pan",
            "Pots": "Stock Pot,Casserole,Saucepan,Pasta Pot",
            "Baking": "Loaf Tin,Cake Ring,Baking Tray,Pie Dish",
        },
        "Tableware": {
            "Plates": "Dinner Plate,Side Plate,Serving Platter",
            "Cups and Mugs": "Mug,Espresso Cup,Tea Bowl,Travel Cup",
            "Cutlery": "Cutlery Set,Steak Knife Set,Serving Spoon",
        },
        "Coffee and Tea": {
            "Brewers": "Pour-Over Dripper,French Press,Moka Pot,Cold Brew Jug",
            "Grinders": "Hand Grinder,Burr Grinder",
            "Kettles": "Gooseneck Kettle,Electric Kettle,Tea Kettle",
        },
        "Knives and Boards": {
            "Knives": "Chef's Knife,Paring Knife,Bread Knife,Santoku",
            "Boards": "Cutting Board,Carving Board,Cheese Board",
        },
    },
    "Living": {
        "Lighting": {
            "Table Lamps": "Table Lamp,Bedside Lamp,Desk Lamp",
            "Floor Lamps": "Floor Lamp,Arc Lamp,Reading Lamp",
            "Candles": "Candle,Lantern,Candle Holder",
        },
        "Textiles": {
            "Cushions": "Cushion,Floor Cushion,Bolster",
            "Blankets": "Blanket,Throw,Quilt",
            "Rugs": "Rug,Runner,Doormat",
        },
        "Storage": {
            "Baskets": "Basket,Laundry Basket,Storage Crate",
            "Shelves": "Wall Shelf,Bookshelf,Corner Shelf",
        },
        "Decoration": {
            "Vases": "Vase,Bud Vase,Jug",
            "Clocks": "Wall Clock,Alarm Clock,Mantel Clock",
            "Frames": "Picture Frame,Mirror,Poster Rail",
        },
    },
    "Garden": {
        "Tools": {
            "Hand Tools": "Trowel,Hand Fork,Weeder,Dibber",
            "Pruning": "Secateurs,Lopper,Pruning Saw",
            "Watering": "Watering Can,Garden Hose,Plant Mister",
        },
        "Growing": {
            "Pots and Planters": "Planter,Hanging Pot,Herb Box,Window Box",
            "Seeds": "Herb Seed Set,Wildflower Mix,Tomato Seed Set",
        },
        "Outdoor Living": {
            "Seating": "Garden Chair,Bench,Hammock,Deck Stool",
            "Fire and Grill": "Fire Bowl,Charcoal Grill,Grill Tongs",
        },
    },
    "Outdoors": {
        "Camping": {
            "Tents": "Two-Person Tent,Family Tent,Tarp",
            "Sleeping": "Sleeping Bag,Sleeping Mat,Travel Pillow",
            "Camp Kitchen": "Camp Stove,Mess Kit,Water Filter,Flask",
        },
        "Cycling": {
            "Bags": "Pannier,Handlebar Bag,Saddle Bag",
            "Lights": "Front Light,Rear Light,Light Set",
            "Care": "Floor Pump,Multi-Tool,Repair Kit",
        },
        "Walking": {
            "Packs": "Daypack,Trekking Pack,Hip Pack",
            "Poles and Maps": "Trekking Pole,Map Case,Compass",
        },
    },
    "Office": {
        "Writing": {
            "Notebooks": "Notebook,Sketchbook,Pocket Journal",
            "Pens": "Fountain Pen,Mechanical Pencil,Brush Pen",
        },
        "Desk": {
            "Organisers": "Desk Organiser,Pen Cup,Letter Tray",
            "Stands": "Laptop Stand,Monitor Riser,Tablet Stand",
            "Chairs": "Desk Chair,Standing Stool,Foot Rest",
        },
    },
    "Audio": {
        "Listening": {
            "Headphones": "Over-Ear Headphones,Earbuds,Studio Headphones",
            "Speakers": "Bookshelf Speaker,Portable Speaker,Shower Speaker",
            "Turntables": "Turntable,Phono Preamp,Record Brush",
        },
        "Making": {
            "Microphones": "Podcast Microphone,Lavalier Microphone,Field Recorder",
            "Keys and Strings": "MIDI Keyboard,Ukulele,Kalimba",
        },
    },
    "Play": {
        "Games": {
            "Board Games": "Board Game,Card Game,Dice Set,Chess Set",
            "Puzzles": "Jigsaw Puzzle,Wooden Puzzle,Brain Teaser",
        },
        "Toys": {
            "Building": "Building Blocks,Marble Run,Model Kit",
            "Soft Toys": "Plush Bear,Plush Fox,Hand Puppet",
            "Science": "Microscope,Crystal Kit,Weather Station",
        },
    },
}


@dataclass(frozen=True, slots=True)
class Category:
    """A node of the tree; its descendants are the numbers up to `last_number`."""

    number: int
    name: str
    path: tuple[str, ...]
    parent_number: int | None
    last_number: int
    things: tuple[str, ...]


@cache
def generate_categories() -> tuple[Category, ...]:
    """All categories in order; `generate_categories()[0]` is c1."""
    return tuple(sorted(_number_branch(_TREE, 1, None, ()), key=lambda category: category.number))


def _number_branch(
    branch: dict[str, dict[str, dict[str, str]]] | dict[str, dict[str, str]] | dict[str, str],
    first_number: int,
    parent_number: int | None,
    path: tuple[str, ...],
) -> list[Category]:
    found: list[Category] = []
    number = first_number
    for name, below in branch.items():
        here = (*path, name)
        is_leaf = isinstance(below, str)
        children = [] if isinstance(below, str) else _number_branch(below, number + 1, number, here)
        last_number = number + len(children)
        things = tuple(below.split(",")) if is_leaf and isinstance(below, str) else ()
        found.append(Category(number, name, here, parent_number, last_number, things))
        found.extend(children)
        number = last_number + 1
    return found


def category_document(category: Category, product_count: int) -> dict[str, object]:
    """The category as the products service answers."""
    return {
        "id": f"c{category.number}",
        "name": category.name,
        "path": list(category.path),
        "parent_id": None if category.parent_number is None else f"c{category.parent_number}",
        "is_leaf": bool(category.things),
        "product_count": product_count,
    }
