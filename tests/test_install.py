"""What an installation finds."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_a_script_beside_the_clone_finds_the_package(tmp_path: Path) -> None:
    """A clone is a folder of the package's name, which Python would take for a package without modules."""
    (tmp_path / "evonas").symlink_to(ROOT)
    script = tmp_path / "ten_lines.py"
    script.write_text("import evonas\nprint(evonas.__version__)\n", "utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")
