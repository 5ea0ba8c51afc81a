"""Dreamt surfaces beside photographs of the same materials, as one picture.

    cargo xtask run dream --list          # once, so that the program is built
    python3 benches/textures_beside_photographs.py PHOTOGRAPHS OUT.jpg

PHOTOGRAPHS is the folder that `umwelt train texture --photos` takes. Three photographs (of those held out where there are any) stand on
the left, four dreams on the right. Needs Pillow.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

# As in `training::texture_photos::MATERIALS`.
FOLDERS = {
    "asphalt": ["Asphalt"], "bark": ["Bark"], "bricks": ["Bricks"], "carpet": ["Carpet"], "concrete": ["Concrete", "Plaster"],
    "fabric": ["Fabric"], "granite": ["Granite"], "grass": ["Grass"], "gravel": ["Gravel"], "ground": ["Ground"],
    "marble": ["Marble"], "metal": ["Metal"], "moss": ["Moss"], "onyx": ["Onyx", "Travertine"], "parquet": ["WoodFloor"],
    "paving": ["PavingStones"], "planks": ["Planks", "WoodSiding"], "rock": ["Rock"], "roof tiles": ["RoofingTiles"],
    "rust": ["Rust"], "snow": ["Snow"], "stones": ["Rocks"], "terrazzo": ["Terrazzo"], "tiles": ["Tiles"], "wood": ["Wood"],
}
PHOTOS, DREAMS, SIDE, GAP, CAPTION, COLUMNS = 3, 4, 96, 4, 18, 2


def photographs(folder: Path, names: list[str]) -> list[Image.Image]:
    paths = [path for name in names for path in sorted((folder / name).iterdir())]
    held_out = paths[4::5] if len(paths) >= 5 else []
    chosen = (held_out + [path for path in paths if path not in held_out])[:PHOTOS]
    return [Image.open(path).convert("RGB").resize((SIDE, SIDE)) for path in chosen]


def dreams(program: Path, material: str, folder: Path) -> list[Image.Image]:
    found = []
    for seed in range(DREAMS):
        out = folder / f"{material}{seed}"
        subprocess.run(
            [program, "dream", material, "--size", "128", "--seed", str(seed), "--out", out], check=True, capture_output=True
        )
        found.append(Image.open(next(out.glob("*base_color.png"))).convert("RGB").resize((SIDE, SIDE)))
    return found


def main() -> None:
    folder, target = Path(sys.argv[1]), Path(sys.argv[2])
    program = Path(__file__).resolve().parents[1] / "target/release/umwelt"
    font_file = Path(__file__).resolve().parents[1] / "assets/fonts/Lato-Medium.ttf"
    font = ImageFont.truetype(str(font_file), 14)
    rows = -(-len(FOLDERS) // COLUMNS)
    width = (PHOTOS + DREAMS) * (SIDE + GAP) + 4 * GAP
    sheet = Image.new("RGB", (COLUMNS * width + GAP, rows * (SIDE + CAPTION + GAP) + GAP), (238, 236, 232))
    draw = ImageDraw.Draw(sheet)
    with tempfile.TemporaryDirectory() as temporary:
        for index, (material, names) in enumerate(FOLDERS.items()):
            left, top = GAP + index // rows * width, GAP + index % rows * (SIDE + CAPTION + GAP)
            draw.text((left, top), f"{material}: photographs, dreams", fill=(40, 38, 36), font=font)
            for column, picture in enumerate(photographs(folder, names)):
                sheet.paste(picture, (left + column * (SIDE + GAP), top + CAPTION))
            for column, picture in enumerate(dreams(program, material, Path(temporary))):
                sheet.paste(picture, (left + 2 * GAP + (PHOTOS + column) * (SIDE + GAP), top + CAPTION))
    sheet.save(target, quality=85)


if __name__ == "__main__":
    main()
