/* Checkpoints to be used: only whole ones, of the right kind of model. */
#include "support/test.h"

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "checkpoint/checkpoint.h"
#include "coordinator/trained.h"
#include "tensor/rows.h"

static char *text_of(const struct conf *conf)
{
    char *text = NULL;
    size_t bytes;
    FILE *f = open_memstream(&text, &bytes);
    conf_dump(conf, f);
    fclose(f);
    return text;
}

/* A checkpoint "run/checkpoints/step-00000001" of a model for @vocab tokens, with the
 * tokenizer of bytes, which has 256; its parameters are 1, 2, 3 ... */
static void write_run(const char *encoder, size_t vocab)
{
    static struct conf conf;
    struct transformer model;
    char *tokenizer;
    size_t bytes;
    conf_init(&conf);
    for (const char *const *w =
             (const char *const[]){"model.layers=1", "model.heads=2", "model.width=8",
                                   "model.context=4", encoder, NULL};
         *w; w++)
        assert_int_equal(0, conf_load_word(&conf, *w));
    assert_int_equal(0, conf_check(&conf));
    assert_int_equal(0, transformer_init(&model, &conf.model, vocab));
    struct tokenizer *byte = tokenizer_byte();
    assert_int_equal(0, tokenizer_save(byte, "tokenizer.json"));
    tokenizer_free(byte);
    assert_int_equal(0, file_read("tokenizer.json", 1 << 20, &tokenizer, &bytes));
    float *theta = mem_alloc(model.count * sizeof *theta);
    for (size_t i = 0; i < model.count; i++)
        theta[i] = (float)i + 1;
    struct safetensor *tensors = mem_zalloc(model.tensors * sizeof *tensors);
    for (size_t i = 0; i < model.tensors; i++) {
        const struct param_info *p = &model.info[i];
        tensors[i] = (struct safetensor){
            p->name, p->cols ? 2 : 1, {p->rows, p->cols}, theta + p->first};
    }
    char *yaml = text_of(&conf);
    struct checkpoint_content c = {
        .state = {.step = 1, .vocab = (uint32_t)vocab, .version = "1"},
        .model = tensors,
        .models = model.tensors,
        .tokenizer = tokenizer,
        .run_yaml = yaml};
    validation_init(&c.state.validation);
    assert_int_equal(0, file_remove_tree("run"));
    assert_int_equal(0, file_make_dirs("run/checkpoints"));
    assert_int_equal(0, checkpoint_write(&disk_real, "run", &c));
    free(yaml);
    mem_free(tensors);
    mem_free(theta);
    mem_free(tokenizer);
    transformer_fini(&model);
}

static int open_as(struct trained *t, const char *path, bool encoder)
{
    return trained_open(
        t, &(struct trained_from){.path = path, .step = UINT64_MAX, .encoder = encoder});
}

static void a_run_or_its_checkpoint_is_opened(void **state)
{
    (void)state;
    static const char *const paths[] = {"run", "run/checkpoints/step-00000001"};
    write_run("model.encoder_layers=1", 256);
    for (size_t i = 0; i < 2; i++) {
        struct trained t;
        assert_int_equal(0, open_as(&t, paths[i], true));
        assert_string_equal(paths[1], t.dir);
        assert_int_equal(1, t.model.shape.E);
        assert_int_equal(256, t.model.shape.V);
        for (size_t k = 0; k < t.model.count; k++)
            assert_true(t.theta[k] == (float)k + 1);
        trained_close(&t);
    }
}

static void a_model_of_the_other_kind_is_refused(void **state)
{
    (void)state;
    struct trained t;
    write_run("model.encoder_layers=1", 256);
    assert_int_equal(ERR_DATA, open_as(&t, "run", false));
    write_run("model.encoder_layers=0", 256);
    assert_int_equal(ERR_DATA, open_as(&t, "run", true));
    assert_int_equal(0, open_as(&t, "run", false));
    trained_close(&t);
}

static void a_tokenizer_of_another_run_is_refused(void **state)
{
    (void)state;
    struct trained t;
    write_run("model.encoder_layers=0", 255);
    assert_int_equal(ERR_DATA, open_as(&t, "run", false));
}

static void what_is_not_there_is_no_file(void **state)
{
    (void)state;
    struct trained t;
    assert_int_equal(ERR_NO_FILE, open_as(&t, "nowhere", true));
    assert_null(t.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_run_or_its_checkpoint_is_opened),
        T(a_model_of_the_other_kind_is_refused),
        T(a_tokenizer_of_another_run_is_refused),
        T(what_is_not_there_is_no_file),
    };
    log_silence(true);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
