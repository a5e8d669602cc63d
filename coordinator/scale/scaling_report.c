#include "coordinator/scale/scaling_report.h"
#include "coordinator/text_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

const char scaling_crowded[] = "more threads than cores: behaviour, not scaling";

bool scaling_report_has(const struct scaling_report *r, enum scaling_mode m)
{
    for (size_t i = 0; i < r->points; i++)
        if (r->point[i].config.mode == m)
            return true;
    return false;
}

int scaling_report_save(const struct scaling_report *r, const char *dir)
{
    struct text_file t;
    text_file_open(&t);
    scaling_report_json(r, t.out);
    return text_file_write(&t, dir, "scale.json");
}

static int save_plots(const struct scaling_report *r, enum scaling_mode m,
                      const char *dir)
{
    static const struct {
        const char *kind;
        void (*draw)(const struct scaling_report *r, enum scaling_mode m, FILE *out);
    } plots[] = {{"tokens", scaling_plot_tokens},
                 {"efficiency", scaling_plot_efficiency},
                 {"phases", scaling_plot_phases}};
    for (size_t i = 0; i < sizeof plots / sizeof *plots; i++) {
        struct text_file t;
        char name[64];
        snprintf(name, sizeof name, "%s-%s.svg", scaling_mode_name(m), plots[i].kind);
        text_file_open(&t);
        plots[i].draw(r, m, t.out);
        TRY(text_file_write(&t, dir, name));
    }
    return ERR_OK;
}

int scaling_report_files(const struct scaling_report *r, const char *dir)
{
    struct text_file t;
    TRY(scaling_report_save(r, dir));
    text_file_open(&t);
    scaling_report_csv(r, t.out);
    TRY(text_file_write(&t, dir, "scale.csv"));
    for (int m = 0; m < SCALING_MODES; m++)
        if (scaling_report_has(r, m))
            TRY(save_plots(r, m, dir));
    text_file_open(&t);
    scaling_report_markdown(r, t.out);
    return text_file_write(&t, dir, "scale.md");
}
