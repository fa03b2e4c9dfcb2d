/* The range coder of range_coder.py, compiled; the same bytes and errors, and the same names.
 *
 * An encoding is a number in the interval [low, low + width), written from its highest byte down.
 * `low` and `width` have 64 bits; the words above them were emitted before. Each symbol narrows the
 * interval to its share of the table, whose edges are 24-bit fractions of the width.
 *
 * Symbols, edges and state are checked, so that no argument makes the coder read or write outside
 * its buffers, or divide by zero.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

#define PRECISION 24
#define WORD_BITS 32
/* The least width between two symbols. */
#define MIN_WIDTH ((uint64_t)1 << WORD_BITS)

typedef struct {
    uint64_t low;
    uint64_t width;
    uint32_t *words;
    size_t count;
} Encoder;

/* Get a one-dimensional buffer of 32-bit integers; `format` is "i" or "I". */
static int
get_integers(PyObject *object, Py_buffer *view, const char *format, int flags)
{
    if (PyObject_GetBuffer(object, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | flags) < 0) {
        return -1;
    }
    if (view->ndim != 1 || view->itemsize != sizeof(uint32_t) || view->format == NULL ||
        strcmp(view->format, format) != 0) {
        PyErr_Format(PyExc_TypeError, "expected one dimension of the format '%s'", format);
        PyBuffer_Release(view);
        return -1;
    }
    return 0;
}

/* Return the number of symbols of a table, or -1 with an exception if its edges do not ascend. */
static Py_ssize_t
table_size(const Py_buffer *edges)
{
    const uint32_t *edge = edges->buf;
    Py_ssize_t size = edges->len / (Py_ssize_t)sizeof(uint32_t) - 1;
    int ascending = size > 0 && edge[0] == 0 && edge[size] == (uint32_t)1 << PRECISION;
    for (Py_ssize_t index = 0; ascending && index < size; index++) {
        ascending = edge[index] < edge[index + 1];
    }
    if (!ascending) {
        PyErr_SetString(PyExc_ValueError, "the edges of a table ascend from 0 to 2**24");
        return -1;
    }
    return size;
}

/* Add to the interval's lower end; an overflow carries into the words already emitted. */
static void
add(Encoder *encoder, uint64_t offset)
{
    encoder->low += offset;
    if (encoder->low < offset) {
        size_t index = encoder->count;
        while (index > 0 && ++encoder->words[--index] == 0) {
        }
    }
}

static int
encode_symbols(Encoder *encoder, const Py_buffer *symbols, const Py_buffer *edges)
{
    const int32_t *symbol = symbols->buf;
    const uint32_t *edge = edges->buf;
    size_t length = (size_t)symbols->len / sizeof(int32_t);
    Py_ssize_t size = table_size(edges);
    if (size < 0) {
        return -1;
    }
    /* A symbol emits at most one word. */
    size_t capacity = (encoder->count + length) * sizeof(uint32_t);
    uint32_t *words = PyMem_Realloc(encoder->words, capacity ? capacity : 1);
    if (words == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    encoder->words = words;
    for (size_t index = 0; index < length; index++) {
        int32_t each = symbol[index];
        if (each < 0 || each >= size) {
            PyErr_SetString(PyExc_ValueError, "a symbol is outside its table");
            return -1;
        }
        uint64_t scale = encoder->width >> PRECISION;
        add(encoder, scale * edge[each]);
        encoder->width = scale * (edge[each + 1] - edge[each]);
        if (encoder->width < MIN_WIDTH) {
            encoder->words[encoder->count++] = (uint32_t)(encoder->low >> WORD_BITS);
            encoder->low <<= WORD_BITS;
            encoder->width <<= WORD_BITS;
        }
    }
    return 0;
}

/* Encode one item of `parts`: a pair of symbols and edges. */
static int
encode_part(Encoder *encoder, PyObject *part)
{
    PyObject *symbols_object, *edges_object;
    Py_buffer symbols, edges;
    int failed = -1;
    if (!PyTuple_Check(part)) {
        PyErr_SetString(PyExc_TypeError, "a part is a pair of symbols and edges");
        return -1;
    }
    if (!PyArg_ParseTuple(part, "OO;a part is a pair of symbols and edges", &symbols_object,
                          &edges_object)) {
        return -1;
    }
    if (get_integers(symbols_object, &symbols, "i", PyBUF_SIMPLE) < 0) {
        return -1;
    }
    if (get_integers(edges_object, &edges, "I", PyBUF_SIMPLE) == 0) {
        failed = encode_symbols(encoder, &symbols, &edges);
        PyBuffer_Release(&edges);
    }
    PyBuffer_Release(&symbols);
    return failed;
}

/* Return the shortest bytes that, followed by zeros, are a number in the interval. */
static PyObject *
shortest(Encoder *encoder)
{
    /* The distance to the next multiple of the highest power of 256 that the interval holds. */
    uint64_t distance = 0;
    for (int bits = 64; bits >= WORD_BITS; bits -= 8) {
        uint64_t mask = UINT64_MAX >> (64 - bits);
        distance = (0 - encoder->low) & mask;
        if (distance < encoder->width) {
            break;
        }
    }
    add(encoder, distance);
    size_t size = encoder->count * sizeof(uint32_t) + sizeof(uint64_t);
    unsigned char *bytes = PyMem_Malloc(size);
    if (bytes == NULL) {
        return PyErr_NoMemory();
    }
    for (size_t index = 0; index < size; index++) {
        size_t word = index / 4;
        uint32_t value = word < encoder->count ? encoder->words[word]
                         : word == encoder->count ? (uint32_t)(encoder->low >> WORD_BITS)
                                                  : (uint32_t)encoder->low;
        bytes[index] = (unsigned char)(value >> (24 - 8 * (index % 4)));
    }
    while (size > 0 && bytes[size - 1] == 0) {
        size--;
    }
    PyObject *payload = PyBytes_FromStringAndSize((const char *)bytes, (Py_ssize_t)size);
    PyMem_Free(bytes);
    return payload;
}

static PyObject *
encode(PyObject *module, PyObject *parts)
{
    (void)module;
    Encoder encoder = {0, UINT64_MAX, NULL, 0};
    PyObject *payload = NULL, *part;
    PyObject *iterator = PyObject_GetIter(parts);
    if (iterator == NULL) {
        return NULL;
    }
    while ((part = PyIter_Next(iterator)) != NULL) {
        int failed = encode_part(&encoder, part);
        Py_DECREF(part);
        if (failed) {
            break;
        }
    }
    if (!PyErr_Occurred()) {
        payload = shortest(&encoder);
    }
    Py_DECREF(iterator);
    PyMem_Free(encoder.words);
    return payload;
}

/* Return the next word of a payload, which zeros follow without end. */
static uint32_t
read_word(const Py_buffer *payload, Py_ssize_t *position)
{
    const unsigned char *bytes = payload->buf;
    uint32_t word = 0;
    for (int index = 0; index < 4; index++) {
        unsigned char byte = *position < payload->len ? bytes[(*position)++] : 0;
        word = word << 8 | byte;
    }
    return word;
}

/* Return the symbol whose edges enclose a fraction of the width, below 2 ** 24. */
static Py_ssize_t
find(const uint32_t *edge, Py_ssize_t size, uint64_t fraction)
{
    Py_ssize_t first = 0, last = size;
    while (last - first > 1) {
        Py_ssize_t middle = first + (last - first) / 2;
        if (edge[middle] <= fraction) {
            first = middle;
        } else {
            last = middle;
        }
    }
    return first;
}

/* Decode symbols until the buffer is full.
 * Return 0, 1 if the number lies outside every interval, or -1 with an exception. */
static int
decode_symbols(const Py_buffer *payload, uint64_t *above, uint64_t *width, Py_ssize_t *position,
               const Py_buffer *edges, const Py_buffer *symbols)
{
    const uint32_t *edge = edges->buf;
    int32_t *symbol = symbols->buf;
    size_t length = (size_t)symbols->len / sizeof(int32_t);
    Py_ssize_t size = table_size(edges);
    if (size < 0) {
        return -1;
    }
    for (size_t index = 0; index < length; index++) {
        uint64_t scale = *width >> PRECISION;
        uint64_t fraction = *above / scale;
        if (fraction >= (uint64_t)1 << PRECISION) {
            return 1;
        }
        Py_ssize_t each = find(edge, size, fraction);
        *above -= scale * edge[each];
        *width = scale * (edge[each + 1] - edge[each]);
        if (*width < MIN_WIDTH) {
            *width <<= WORD_BITS;
            *above = *above << WORD_BITS | read_word(payload, position);
        }
        symbol[index] = (int32_t)each;
    }
    return 0;
}

static PyObject *
decode(PyObject *module, PyObject *arguments)
{
    (void)module;
    Py_buffer payload, edges, symbols;
    PyObject *edges_object, *symbols_object, *state = NULL;
    unsigned long long first, second;
    Py_ssize_t position;
    if (!PyArg_ParseTuple(arguments, "y*(KKn)OO:decode", &payload, &first, &second, &position,
                          &edges_object, &symbols_object)) {
        return NULL;
    }
    uint64_t above = first, width = second;
    if (get_integers(edges_object, &edges, "I", PyBUF_SIMPLE) < 0) {
        goto release_payload;
    }
    if (get_integers(symbols_object, &symbols, "i", PyBUF_WRITABLE) < 0) {
        goto release_edges;
    }
    if (width < MIN_WIDTH || position < 0) {
        PyErr_SetString(PyExc_ValueError, "not a state of the decoder");
        goto release_symbols;
    }
    int outcome = decode_symbols(&payload, &above, &width, &position, &edges, &symbols);
    if (outcome == 0) {
        state = Py_BuildValue("(KKn)", (unsigned long long)above, (unsigned long long)width,
                              position);
    } else if (outcome == 1) {
        state = Py_NewRef(Py_None);
    }
release_symbols:
    PyBuffer_Release(&symbols);
release_edges:
    PyBuffer_Release(&edges);
release_payload:
    PyBuffer_Release(&payload);
    return state;
}

static PyMethodDef methods[] = {
    {"encode", encode, METH_O, NULL},
    {"decode", decode, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    "edgewright.tools.codecs._range_coder",
    "The range coder, compiled; see range_coder.py.",
    0,
    methods,
    NULL,
    NULL,
    NULL,
    NULL,
};

PyMODINIT_FUNC
PyInit__range_coder(void)
{
    return PyModuleDef_Init(&definition);
}
