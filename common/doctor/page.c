#include "doctor/page.h"

#include "plot/svg.h"

static const char style[] =
    "<style>"
    "body{font:15px/1.5 system-ui,\"Segoe UI\",\"DejaVu Sans\",sans-serif;max-width:60em;"
    "margin:2em auto;padding:0 1em;color:#1f2328;background:#fff}"
    "h1{font-size:1.5em}h2{font-size:1.2em;margin-top:2em}"
    "section{border-left:4px solid #8c959f;padding:.1em 1em;margin:1em 0}"
    ".severe{border-color:#cf222e}.warning{border-color:#bf8700}.note{border-color:#"
    "0969da}"
    "h3{font-size:1em;margin:.5em 0}dl{display:grid;grid-template-columns:5em 1fr;"
    "gap:.2em 1em;margin:.5em 0}dt{color:#59636e}dd{margin:0}"
    ".change{font-weight:600}svg{max-width:100%;height:auto;display:block;margin:1em 0}"
    "@media(prefers-color-scheme:dark){body{color:#d5dbe1;background:#14171b}"
    "dt{color:#9198a1}.severe{border-color:#f85149}.warning{border-color:#d29922}"
    ".note{border-color:#58a6ff}}"
    "</style>\n";

static void element(FILE *out, const char *name, const char *class, const char *text)
{
    fprintf(out, "<%s%s%s%s>", name, class ? " class=\"" : "", class ? class : "",
            class ? "\"" : "");
    svg_escape(out, text);
    fprintf(out, "</%s>\n", name);
}

static void row(FILE *out, const char *name, const char *text)
{
    element(out, "dt", NULL, name);
    element(out, "dd", name, text);
}

static void finding(const struct finding *f, FILE *out)
{
    char head[200];
    fprintf(out, "<section class=\"%s\">\n", severity_name(f->severity));
    snprintf(head, sizeof head, "%s: %s", severity_name(f->severity), f->rule->title);
    element(out, "h3", NULL, head);
    fputs("<dl>\n", out);
    row(out, "rule", f->rule->name);
    row(out, "seen", f->seen);
    row(out, "why", f->rule->why);
    row(out, "change", f->change);
    row(out, "source", f->rule->source);
    fputs("</dl>\n</section>\n", out);
}

static void summary(const struct report *r, FILE *out)
{
    const struct patient *p = r->patient;
    const struct course *c = p->course;
    char text[300];
    snprintf(text, sizeof text,
             "%s%s%zu steps, %zu evaluations, %zu steps examined; data %s.", r->state,
             *r->state ? ", " : "", c->steps, c->evaluations, c->examined,
             p->survey ? "looked at" : "not there");
    element(out, "p", NULL, text);
    snprintf(text, sizeof text,
             "%llu lines of log.jsonl were not understood, the first is %llu.",
             (unsigned long long)c->bad, (unsigned long long)c->first_bad);
    if (c->bad > 0)
        element(out, "p", NULL, text);
    if (c->steps > 0 && c->examined == 0)
        element(out, "p", NULL,
                "No step was examined (train.stats_every): layers were not looked at.");
}

void page_html(const struct report *r, FILE *out)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
          "<meta name=\"viewport\" content=\"width=device-width\"/>\n<title>",
          out);
    svg_escape(out, r->run);
    fprintf(out, "</title>\n%s</head>\n<body>\n", style);
    element(out, "h1", NULL, r->run);
    summary(r, out);
    element(out, "h2", NULL, r->findings->n ? "Findings" : "Nothing found");
    for (size_t i = 0; i < r->findings->n; i++)
        finding(&r->findings->list[i], out);
    element(out, "h2", NULL, "The run");
    page_pictures(r->patient, out);
    fputs("</body>\n</html>\n", out);
}
