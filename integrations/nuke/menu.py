"""The menu entry of Impasto; Nuke runs this file when it starts."""
import nuke

PAINT = "import impasto_nuke; impasto_nuke.paint_selected()"  # loaded when it is first used
nuke.menu("Nuke").addMenu("Impasto").addCommand("Paint the selected node...", PAINT)
