/* style.h - what a chart looks like. */
#ifndef PLOT_STYLE_H
#define PLOT_STYLE_H

enum { COLOURS = 8 };

/* Light first, dark for those who want it.  Neighbours are told apart by people who do
 * not see red and green, too; the ninth line is the first colour again, dashed. */
static const char style[] =
    "<style>"
    ".plot{font:12px system-ui,\"Segoe UI\",\"DejaVu Sans\",sans-serif}"
    ".plot .ground{fill:#fff}.plot text{fill:#30363d}.plot .title{font-size:15px;"
    "font-weight:600}"
    ".plot .grid{stroke:#d8dee4;stroke-width:1}.plot .minor{stroke:#eff2f5}"
    ".plot .edge{fill:none;stroke:#8c959f}"
    ".plot .line{fill:none;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}"
    ".plot .faint{stroke-width:1.2;opacity:.5}.plot .dashed{stroke-dasharray:7 5}"
    ".plot .mark{stroke:#57606a;stroke-width:1.4;stroke-dasharray:4 4;fill:none}"
    ".plot .spot{fill:#30363d;stroke:#fff;stroke-width:1.5}"
    ".plot .label{stroke:#fff;stroke-width:4;stroke-linejoin:round;paint-order:stroke}"
    ".plot .c0{stroke:#0969da}.plot .c1{stroke:#d1570a}.plot .c2{stroke:#8250df}"
    ".plot .c3{stroke:#1a7f37}.plot .c4{stroke:#bf3989}.plot .c5{stroke:#0f848c}"
    ".plot .c6{stroke:#8a6d00}.plot .c7{stroke:#cf222e}"
    "@media(prefers-color-scheme:dark){"
    ".plot .ground{fill:#14171b}.plot text{fill:#d5dbe1}"
    ".plot .grid{stroke:#343b43}.plot .minor{stroke:#22272d}.plot .edge{stroke:#6e7781}"
    ".plot .mark{stroke:#a5aeb8}.plot .spot{fill:#d5dbe1;stroke:#14171b}"
    ".plot .label{stroke:#14171b}"
    ".plot .c0{stroke:#58a6ff}.plot .c1{stroke:#f0883e}.plot .c2{stroke:#bc8cff}"
    ".plot .c3{stroke:#3fb950}.plot .c4{stroke:#f778ba}.plot .c5{stroke:#39c5cf}"
    ".plot .c6{stroke:#d4b106}.plot .c7{stroke:#ff7b72}}"
    "</style>\n";

#endif
