"""The word lists that names are made of. Changing one changes the generated data: see DATA_VERSION in storage.py."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    "Aino Alba Amara Anton Astrid Beatriz Bela Bruno Carla Chiara Dario Edda Elif Emil Esther Ewa Farah "
    "Felix Finn Freya Gabor Greta Hanna Hugo Ida Ilse Imre Ines Iva Jakub Jana Jonas Kaja Karim Lena Leon "
    "Lia Lotte Lucia Luka Maja Malik Marek Marta Matteo Mila Mira Nadia Nico Nils Noor Oda Olga Oskar "
    "Paula Petra Pia Rafael Rosa Runa Salma Samir Selma Sofia Stefan Tamar Teo Tilda Tomas Ursula "
    "Valentin Vera Viktor Wanda Xenia Yara Yusuf Zofia Zoltan"
)
LAST_NAMES = _words(
    "Almeida Andersen Bakker Barta Becker Berg Bianchi Blanc Brandt Caruso Costa Dahl Dekker Dubois "
    "Eriksen Fabre Ferrari Fischer Fontaine Garnier Haas Hansen Hermans Horvat Ivanova Jansen Jensen Kaya "
    "Keller Klein Kovacs Krause Lambert Larsen Lehmann Lindqvist Lombardi Lopes Maes Marino Martel Meijer "
    "Molnar Moreau Navarro Nemeth Nilsson Novak Nowak Okafor Olsen Orlando Pereira Petrov Pinto Popescu "
    "Ricci Rossi Roux Ruiz Santos Schmitt Silva Smit Sorensen Szabo Toth Vargas Vidal Visser Vogel Weber "
    "Winter Wolf Zeman"
)
BRANDS = _words(
    "Aldermoor Birk&Son Calluna Dovetail Eikhaus Fernweh Gullfoss Halden Islay Juniper Kestrel Lumi "
    "Marlow Nordlys Oakwell Pellinore Quince Rowan Solvang Tarn Umbra Verdant Wren Yarrow"
)
STYLES = _words("Classic Everyday Slow Heritage Studio Compact Nomad Harvest North Little")
COLOURS = _words("Moss Slate Oat Ink Clay Sage Saffron Chalk Plum Sea Rust Charcoal")
