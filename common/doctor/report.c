#include "doctor/report.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "base/wrap.h"

enum { INDENT = 10 };

/* --- text --- */

/* "  name    text", broken between words; further lines begin where the text does. */
static void paragraph(FILE *out, const char *name, const char *text)
{
    fprintf(out, "  %-*s", INDENT - 2, name);
    wrap_words(out, text, INDENT);
    fputc('\n', out);
}

static void finding_text(const struct finding *f, FILE *out)
{
    fprintf(out, "\n%-8s  %s: %s\n", severity_name(f->severity), f->rule->name,
            f->rule->title);
    paragraph(out, "seen", f->seen);
    paragraph(out, "why", f->rule->why);
    paragraph(out, "change", f->change);
    paragraph(out, "source", f->rule->source);
}

void report_text(const struct report *r, FILE *out)
{
    const struct patient *p = r->patient;
    const struct course *c = p->course;
    fprintf(out, "%s: %s%s%zu steps, %zu evaluations, %zu steps examined; data %s\n",
            r->run, r->state, *r->state ? ", " : "", c->steps, c->evaluations,
            c->examined, p->survey ? "looked at" : "not there");
    if (c->bad > 0)
        fprintf(out, "%llu lines of log.jsonl were not understood, the first is %llu\n",
                (unsigned long long)c->bad, (unsigned long long)c->first_bad);
    if (c->steps > 0 && c->examined == 0)
        fputs("no step was examined (train.stats_every): layers were not looked at\n",
              out);
    if (r->findings->n == 0)
        fprintf(out, "%zu rules, nothing found\n", rules_n);
    for (size_t i = 0; i < r->findings->n; i++)
        finding_text(&r->findings->list[i], out);
}

/* --- JSON --- */

/* To six digits; null: none. */
static void add(json_t *to, const char *key, double x)
{
    char text[32];
    snprintf(text, sizeof text, "%.6g", x);
    json_object_set_new(to, key,
                        isfinite(x) ? json_real(strtod(text, NULL)) : json_null());
}

static void add_count(json_t *to, const char *key, uint64_t n)
{
    json_object_set_new(to, key, json_integer((json_int_t)n));
}

static json_t *finding_json(const struct finding *f)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "severity",
                     severity_name(f->severity), "rule", f->rule->name, "title",
                     f->rule->title, "seen", f->seen, "why", f->rule->why, "change",
                     f->change, "source", f->rule->source);
}

static json_t *findings_json(const struct findings *all)
{
    json_t *list = json_array();
    for (size_t i = 0; i < all->n; i++)
        json_array_append_new(list, finding_json(&all->list[i]));
    return list;
}

static json_t *signs_json(const struct patient *p)
{
    const struct signs *s = p->signs;
    json_t *to = json_object();
    add_count(to, "steps", p->course->steps);
    add_count(to, "examined", p->course->examined);
    add_count(to, "bad_lines", p->course->bad);
    add_count(to, "not_finite", s->not_finite);
    add_count(to, "spikes", s->spikes);
    const struct {
        const char *key;
        double value;
    } rows[] = {{"first", s->first},
                {"best", s->best},
                {"last", s->last},
                {"peak", s->peak},
                {"mid_fall", s->mid_fall},
                {"late_fall", s->late_fall},
                {"scatter", s->scatter},
                {"clipped", s->clipped},
                {"clip", s->clip},
                {"ratio", s->ratio},
                {"ratio_peak", s->ratio_peak},
                {"held_out_rise", s->held_out_rise},
                {"train_fall", s->train_fall},
                {"gradient_depth", s->gradient.ratio},
                {"stream_depth", s->stream.ratio},
                {"noise", s->noise},
                {"accuracy", s->accuracy}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        add(to, rows[i].key, rows[i].value);
    return to;
}

static json_t *survey_json(const struct survey *s)
{
    if (!s)
        return json_null();
    json_t *to = json_pack("{s:s}", "kind", s->pairs ? "pairs" : "text");
    add_count(to, "vocabulary", s->vocab);
    add_count(to, "count", s->count);
    add(to, "unigram", s->unigram);
    add(to, "bigram", s->bigram);
    add(to, "repeated", s->repeated);
    add(to, "known", s->known);
    add(to, "lengths", s->lengths);
    add(to, "same", s->same);
    add(to, "contained", s->contained);
    return to;
}

static json_t *probe_json(const struct probe *p)
{
    if (!p)
        return json_null();
    json_t *to = json_object();
    add_count(to, "pairs", p->pairs);
    add(to, "right", p->right);
    add(to, "wrong", p->wrong);
    return to;
}

void report_json(const struct report *r, FILE *out)
{
    json_t *root = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o}", "run", r->run, "state", r->state, "findings",
        findings_json(r->findings), "signs", signs_json(r->patient), "data",
        survey_json(r->patient->survey), "probe", probe_json(r->patient->probe));
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : NULL;
    json_decref(root);
    fputs(text ? text : "null", out); /* a name of a run that is no text */
    fputc('\n', out);
    free(text);
}
