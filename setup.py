"""The wheel of the terminal command brings its templates compiled, as the deployed package does. The rest is in pyproject.toml."""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).parent))


class WithCompiledTemplates(build_py):
    """Builds the modules, then compiles the templates beside them."""

    def run(self) -> None:
        super().run()
        from handlers.runbook.templates import COMPILED, TEMPLATES, compile_templates

        compile_templates(Path(self.build_lib) / COMPILED.relative_to(TEMPLATES.parent))


setup(cmdclass={"build_py": WithCompiledTemplates})
