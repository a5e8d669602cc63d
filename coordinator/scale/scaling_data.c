/* scaling_data.c - a scaling experiment for programs. */
#include <math.h>

#include "coordinator/scale/scaling_file.h"
#include "coordinator/scale/scaling_report.h"

/* --- CSV --- */

static void csv_number(FILE *out, double x)
{
    if (isfinite(x))
        fprintf(out, ",%.6g", x);
    else
        fputc(',', out);
}

static void csv_line(const struct scaling_point *p, FILE *out)
{
    const struct scaling_config *c = &p->config;
    const struct roofline_step *s = &p->step;
    const bool any = p->rate.n > 0;
    fprintf(out, "%s,%u,%u,%llu,%llu,%zu", scaling_mode_name(c->mode), c->workers,
            c->threads, (unsigned long long)c->batch, (unsigned long long)c->slices,
            p->rate.n);
    const double numbers[] = {p->rate.median,
                              p->rate.low,
                              p->rate.high,
                              p->speed_up.median,
                              p->speed_up.low,
                              p->speed_up.high,
                              p->efficiency,
                              p->flops_share,
                              s->computing + s->gathering + s->updating,
                              s->computing,
                              s->gathering,
                              s->updating,
                              s->received,
                              any ? p->received_least : NAN,
                              s->sent,
                              any ? p->sent_least : NAN};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        csv_number(out, numbers[i]);
    fprintf(out, ",%s,%s,", any ? scaling_limit_name(p->limit) : "",
            p->slow.worker ? p->slow.host : "");
    if (p->crowded)
        fprintf(out, "\"%s\"", scaling_crowded);
    fputc('\n', out);
}

void scaling_report_csv(const struct scaling_report *r, FILE *out)
{
    fputs("mode,workers,threads,batch,slices,runs,tokens_per_second,tokens_per_second_"
          "least,"
          "tokens_per_second_most,speed_up,speed_up_least,speed_up_most,efficiency,"
          "share_of_peak,step_seconds,computing_seconds,gathering_seconds,"
          "updating_seconds,received_bytes,received_bytes_bound,sent_bytes,"
          "sent_bytes_bound,limit,straggler,note\n",
          out);
    for (size_t i = 0; i < r->points; i++)
        csv_line(&r->point[i], out);
}

/* --- JSON --- */

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *spread_json(const struct scaling_spread *s)
{
    return json_pack("{s:o, s:o, s:o}", "median", number(s->median), "least",
                     number(s->low), "most", number(s->high));
}

static json_t *step_json(const struct scaling_point *p)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "computing", number(p->step.computing),
        "gathering", number(p->step.gathering), "updating", number(p->step.updating),
        "received", number(p->step.received), "received_bound", number(p->received_least),
        "sent", number(p->step.sent), "sent_bound", number(p->sent_least));
}

static json_t *point_json(const struct scaling_point *p)
{
    const struct scaling_config *c = &p->config;
    char key[SCALING_KEY];
    json_t *json = json_pack("{s:s, s:i, s:i, s:I, s:I, s:s, s:I, s:b}", "mode",
                             scaling_mode_name(c->mode), "workers", c->workers, "threads",
                             c->threads, "batch", (json_int_t)c->batch, "slices",
                             (json_int_t)c->slices, "key", scaling_key_text(c->key, key),
                             "runs", (json_int_t)p->rate.n, "crowded", p->crowded);
    if (p->rate.n == 0)
        return json;
    json_object_set_new(json, "tokens_per_second", spread_json(&p->rate));
    json_object_set_new(json, "speed_up", spread_json(&p->speed_up));
    json_object_set_new(json, "speed_up_over",
                        p->over ? json_integer(p->over) : json_null());
    json_object_set_new(json, "efficiency", number(p->efficiency));
    json_object_set_new(json, "share_of_peak", number(p->flops_share));
    json_object_set_new(json, "step", step_json(p));
    json_object_set_new(json, "limit", json_string(scaling_limit_name(p->limit)));
    if (p->slow.worker)
        json_object_set_new(json, "straggler",
                            json_pack("{s:i, s:s, s:f}", "rank", p->slow.worker, "host",
                                      p->slow.host, "share", p->slow.share));
    if (p->crowded)
        json_object_set_new(json, "note", json_string(scaling_crowded));
    return json;
}

static json_t *machine_json(const struct machine *m)
{
    return json_pack("{s:s, s:i, s:s}", "name", m->name, "cores", m->cores, "cpu",
                     m->cpu);
}

static json_t *failure_json(const struct scaling_failure *f)
{
    return json_pack("{s:s, s:i, s:i, s:s, s:s}", "mode",
                     scaling_mode_name(f->config.mode), "workers", f->config.workers,
                     "repeat", f->repeat, "why", f->why, "log", f->log);
}

static json_t *settings_json(const struct scaling_report *r)
{
    char fingerprint[SCALING_KEY];
    json_t *json = json_pack(
        "{s:s, s:f, s:b, s:s, s:s, s:s, s:f, s:s, s:I, s:I, s:i, s:i, s:o}", "program",
        r->version, "time", r->wall, "stopped", r->stopped, "fingerprint",
        scaling_key_text(r->fingerprint, fingerprint), "batch_unit",
        r->pairs ? "tokens" : "sequences", "products", r->precision, "parameters",
        r->facts.parameters, "partials", wire_name(r->facts.wire), "steps",
        (json_int_t)r->length.steps, "warm_up", (json_int_t)r->length.warm_up, "repeats",
        r->repeats, "threads", r->threads, "thread_flops",
        number(scaling_thread_flops(r->run, r->runs)));
    json_t *machines_of = json_array();
    for (size_t i = 0; i < r->machines; i++)
        json_array_append_new(machines_of, machine_json(&r->machine[i]));
    json_object_set_new(json, "machines", machines_of);
    json_object_set_new(json, "load", number(r->load));
    return json;
}

static json_t *report_json(const struct scaling_report *r)
{
    json_t *json = json_pack("{s:i}", "format", SCALING_FORMAT), *points = json_array(),
           *runs = json_array(), *failed = json_array();
    json_object_set_new(json, "settings", settings_json(r));
    for (size_t i = 0; i < r->points; i++)
        json_array_append_new(points, point_json(&r->point[i]));
    for (size_t i = 0; i < r->runs; i++)
        json_array_append_new(runs, scaling_run_json(&r->run[i]));
    for (size_t i = 0; i < r->failures; i++)
        json_array_append_new(failed, failure_json(&r->failure[i]));
    if (r->others)
        json_array_extend(runs, r->others);
    json_object_set_new(json, "points", points);
    json_object_set_new(json, "failures", failed);
    json_object_set_new(json, "runs", runs);
    return json;
}

void scaling_report_json(const struct scaling_report *r, FILE *out)
{
    json_t *json = report_json(r);
    json_dumpf(json, out, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
    fputc('\n', out);
    json_decref(json);
}
