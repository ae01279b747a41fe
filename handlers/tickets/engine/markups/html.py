"""HTML, for systems that show it: Request Tracker, Zendesk, Opsgenie, Azure DevOps Server. https://html.spec.whatwg.org/"""

from __future__ import annotations

import re

from handlers.runbook.markup import to_html

MONOSPACE = "font-family: monospace"


def render(markdown: str) -> str:
    return to_html(markdown)


def render_monospace(markdown: str) -> str:
    """With the letters of each block of code named: Request Tracker takes `code` away and shows `pre` in its usual letters, but lets a font's
    name through. https://github.com/bestpractical/rt/blob/stable/lib/RT/Interface/Web/Scrubber.pm
    """
    return re.sub(
        r"<pre><code[^>]*>(.*?)</code></pre>", rf'<pre style="{MONOSPACE}">\1</pre>', to_html(markdown), flags=re.DOTALL
    )
