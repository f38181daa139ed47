/* The five patches in C, node by node as graphvoip runs them: a function for each kind of node, a buffer for each node,
   whole frames, signals in float and states in double. What never changes is a number here and not a signal. */

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { FRAME = 160, RATE = 8000 };
typedef float Signal[FRAME] __attribute__((aligned(64)));

/* As graphvoip's: without a branch, so that a loop of it vectorises. */
static inline float sin_turns(float turns) {
    float x = turns - floorf(turns) - 0.5f;
    float q = 0.25f - fabsf(fabsf(x) - 0.25f), s = q * q;
    float y = ((((39.85647238f * s - 76.59931749f) * s + 81.60354098f) * s - 41.34170072f) * s + 6.283185307f) * q;
    return x < 0 ? y : -y;
}

static inline float tanh_of(float x) {
    const float limit = 7.90531110763549805f;
    float y = x > -limit ? x : -limit;
    y = y < limit ? y : limit;
    float s = y * y;
    float p = ((((((-2.76076847742355e-16f * s + 2.00018790482477e-13f) * s - 8.60467152213735e-11f) * s
        + 5.12229709037114e-08f) * s + 1.48572235717979e-05f) * s + 6.37261928875436e-04f) * s
        + 4.89352455891786e-03f) * y;
    return p / (((1.19825839466702e-06f * s + 1.18534705686654e-04f) * s + 2.26843463243900e-03f) * s
        + 4.89352518554385e-03f);
}

typedef struct { double phase; } Sine;

static void __attribute__((noinline)) sine(Sine *state, float freq, float amp, float *restrict out) {
    double phase = state->phase, step = freq * (1.0 / RATE);
    for (int i = 0; i < FRAME; i++) {
        double turns = phase + i * step;
        out[i] = turns - floor(turns);
    }
    phase += FRAME * step;
    state->phase = phase - floor(phase);
    for (int i = 0; i < FRAME; i++) out[i] = amp * sin_turns(out[i]);
}

static void __attribute__((noinline)) swept(Sine *state, const float *restrict freq, float *restrict out) {
    const double turn = 4503599627370496.0;
    int64_t place = state->phase * turn;
    int32_t places[FRAME];
    for (int i = 0; i < FRAME; i++) {
        places[i] = place >> 20;
        place += (int64_t)(freq[i] * (turn / RATE));
    }
    state->phase = (place & (((int64_t)1 << 52) - 1)) / turn;
    for (int i = 0; i < FRAME; i++) out[i] = sin_turns(places[i] * 0x1p-32f);
}

static void __attribute__((noinline)) add(const float *restrict a, float b, float *restrict out) {
    for (int i = 0; i < FRAME; i++) out[i] = a[i] + b;
}

static void __attribute__((noinline)) gain(const float *restrict a, float b, float *restrict out) {
    for (int i = 0; i < FRAME; i++) out[i] = a[i] * b;
}

static void __attribute__((noinline)) multiply(const float *restrict a, const float *restrict b, float *restrict out) {
    for (int i = 0; i < FRAME; i++) out[i] = a[i] * b[i];
}

static void __attribute__((noinline)) mix(Signal *inputs, int count, float *restrict out) {
    memset(out, 0, sizeof(Signal));
    for (int k = 0; k < count; k++)
        for (int i = 0; i < FRAME; i++) out[i] += inputs[k][i];
}

static void __attribute__((noinline)) saturate(const float *restrict a, float *restrict out) {
    for (int i = 0; i < FRAME; i++) out[i] = tanh_of(a[i]);
}

typedef struct { double z0, z1; } Biquad;

static void __attribute__((noinline)) biquad(Biquad *state, const double *c, const float *restrict in,
                                             float *restrict out) {
    double z0 = state->z0, z1 = state->z1, b0 = c[0], b1 = c[1], b2 = c[2], a1 = c[3], a2 = c[4];
    for (int i = 0; i < FRAME; i++) {
        double x = in[i], z = z0;
        out[i] = b0 * x + z;
        z0 = (z1 + (b1 - a1 * b0) * x) - a1 * z; /* the next sample waits for one product only */
        z1 = (b2 - a2 * b0) * x - a2 * z;
    }
    state->z0 = z0, state->z1 = z1;
}

typedef struct { double phase; } Gate;

static void __attribute__((noinline)) gate(Gate *state, float freq, float *restrict out) {
    double phase = state->phase, step = freq * (1.0 / RATE);
    for (int i = 0; i < FRAME; i++) {
        out[i] = phase < 0.5 - 1e-9;
        phase += step;
        if (phase >= 1 - 1e-9) phase -= 1;
    }
    state->phase = phase;
}

enum { REST, ATTACK, DECAY, SUSTAIN, RELEASE };
typedef struct { int stage, was, at, size; double level, a, b; } Adsr;

static void begin(Adsr *s, int stage, double to, double seconds) {
    s->stage = stage, s->a = s->level, s->b = to, s->at = 0, s->size = seconds * RATE + 0.5;
}

static void __attribute__((noinline)) adsr(Adsr *s, const float *restrict gate, double attack, double decay,
                                           double sustain, double release, float *restrict out) {
    int moves = 0;
    for (int i = 0; i < FRAME; i++) moves += (gate[i] > 0) != s->was;
    for (int i = 0; i < FRAME;) {
        int on = gate[i] > 0;
        if (on > s->was) begin(s, ATTACK, 1, attack);
        else if (on < s->was) begin(s, RELEASE, 0, release);
        s->was = on;
        if (s->stage == ATTACK && s->at >= s->size) s->level = 1, begin(s, DECAY, sustain, decay);
        if (s->stage == DECAY && s->at >= s->size) s->stage = SUSTAIN, s->level = s->b;
        if (s->stage == RELEASE && s->at >= s->size) s->stage = REST, s->level = 0;
        int until = moves ? i + 1 : FRAME;
        while (until < FRAME && (gate[until] > 0) == on) until++;
        if (s->stage == REST || s->stage == SUSTAIN) {
            float level = s->level;
            for (int k = i; k < until; k++) out[k] = level;
        } else {
            if (until > i + s->size - s->at) until = i + s->size - s->at;
            double step = (s->b - s->a) / s->size, first = s->a + s->at * step;
            for (int k = 0; k < until - i; k++) out[i + k] = first + k * step;
            s->at += until - i;
            s->level = first + (until - i) * step;
        }
        i = until;
    }
}

typedef struct { uint64_t random; } Noise;

static void __attribute__((noinline)) noise(Noise *state, float amp, float *restrict out) {
    uint64_t random = state->random;
    for (int i = 0; i < FRAME; i++) {
        random ^= random >> 12, random ^= random << 25, random ^= random >> 27;
        out[i] = (float)(int64_t)(random * 0x2545F4914F6CDD1Du >> 40) * 0x1p-23f - 1;
    }
    state->random = random;
    for (int i = 0; i < FRAME; i++) out[i] *= amp;
}

enum { EDGE = 16 };
typedef struct { int at; } Keys;

static void __attribute__((noinline)) keys(Keys *state, int on, int off, double low, double high, float a, float b,
                                           float *restrict out) {
    for (int made = 0; made < FRAME;) {
        int at = state->at, left = (at < on ? on : on + off) - at, size = left < FRAME - made ? left : FRAME - made;
        float *block = out + made;
        if (at < on) {
            for (int i = 0; i < size; i++) {
                double x = low / RATE * (at + i), y = high / RATE * (at + i);
                block[i] = a * sin_turns(x - floor(x)) + b * sin_turns(y - floor(y));
            }
            for (int i = 0; i < size && at + i < EDGE; i++)
                block[i] *= 0.5 - 0.5 * cos(M_PI / EDGE * (at + i + 0.5));
            for (int i = on - EDGE - at < 0 ? 0 : on - EDGE - at; i < size; i++)
                block[i] *= 0.5 - 0.5 * cos(M_PI / EDGE * (on - at - i - 0.5));
        } else
            memset(block, 0, size * sizeof *block);
        state->at = (at + size) % (on + off);
        made += size;
    }
}

enum { BINS = 8 };
typedef struct { float c[BINS], s1[BINS], s2[BINS]; int at; float found; } Goertzel;

static void __attribute__((noinline)) goertzel(Goertzel *s, int block, float least, const float *restrict in,
                                               float *restrict out) {
    float c[BINS], s1[BINS], s2[BINS];
    memcpy(c, s->c, sizeof c), memcpy(s1, s->s1, sizeof c), memcpy(s2, s->s2, sizeof c);
    for (int i = 0; i < FRAME;) {
        int until = i + block - s->at < FRAME ? i + block - s->at : FRAME;
        s->at += until - i;
        for (int k = i; k < until; k++) {
            out[k] = s->found;
            for (int b = 0; b < BINS; b++) {
                float s0 = in[k] + c[b] * s1[b] - s2[b];
                s2[b] = s1[b], s1[b] = s0;
            }
        }
        i = until;
        if (s->at == block) {
            int heard = 0;
            for (int b = 0; b < BINS; b++)
                heard += s1[b] * s1[b] + s2[b] * s2[b] - c[b] * s1[b] * s2[b] > least;
            s->found = heard == 2;
            s->at = 0;
            memset(s1, 0, sizeof c), memset(s2, 0, sizeof c);
        }
    }
    memcpy(s->s1, s1, sizeof c), memcpy(s->s2, s2, sizeof c);
}

/* The patches. Each runs frames; where there is room it puts its sound there. */

#define FRAMES \
    for (long frame = 0; frame < frames; frame++, sound ? (memcpy(sound, out, sizeof out), sound += FRAME) : 0)

void p1(float *sound, long frames, const float *freqs, const double *coefficients, float last) {
    static Sine sines[16];
    static Biquad filter;
    static Signal waves[16], mixed, low, out;
    FRAMES {
        for (int k = 0; k < 16; k++) sine(&sines[k], freqs[k], 1, waves[k]);
        mix(waves, 16, mixed);
        biquad(&filter, coefficients, mixed, low);
        gain(low, last, out);
    }
}

void p2(float *sound, long frames, const float *freqs, const double *envelope, float every, float last) {
    static Gate clock;
    static Sine modulators[8], carriers[8];
    static Adsr envelopes[8];
    static Signal on, m[8], f[8], c[8], e[8], voices[8], mixed, softer, out;
    FRAMES {
        gate(&clock, every, on);
        for (int k = 0; k < 8; k++) {
            sine(&modulators[k], 2 * freqs[k], 2 * freqs[k], m[k]);
            add(m[k], freqs[k], f[k]);
            swept(&carriers[k], f[k], c[k]);
            adsr(&envelopes[k], on, envelope[0], envelope[1], envelope[2], envelope[3], e[k]);
            multiply(c[k], e[k], voices[k]);
        }
        mix(voices, 8, mixed);
        gain(mixed, last, softer);
        saturate(softer, out);
    }
}

/* Gives the frames in which a key was found, or -1 without the search. */
long p3(float *sound, long frames, int on, int off, const float *tones, const float *levels, float hiss,
        const float *bins, int block, float least) {
    static Keys sender;
    static Noise hissing = {0x9E3779B97F4A7C15u};
    static Goertzel search;
    static Signal parts[2], out, found;
    long hits = 0;
    for (int b = 0; bins && b < BINS; b++) search.c[b] = bins[b];
    FRAMES {
        keys(&sender, on, off, tones[0], tones[1], levels[0], levels[1], parts[0]);
        noise(&hissing, hiss, parts[1]);
        mix(parts, 2, out);
        if (bins) {
            goertzel(&search, block, least, out, found);
            hits += found[FRAME - 1] > 0;
        }
    }
    return bins ? hits : -1;
}

void p4(float *sound, long frames, float freq, const float *gains) {
    static Sine source;
    static Signal chain[64], out;
    FRAMES {
        sine(&source, freq, 1, chain[0]);
        for (int k = 0; k < 64; k++) gain(chain[k], gains[k], k < 63 ? chain[k + 1] : out);
    }
}

void p5(float *sound, long frames, const float *freqs, float each, float last) {
    static Sine sines[249];
    static Signal waves[249], softer[249], mixed, out;
    FRAMES {
        for (int k = 0; k < 249; k++) {
            sine(&sines[k], freqs[k], 1, waves[k]);
            gain(waves[k], each, softer[k]);
        }
        mix(softer, 249, mixed);
        gain(mixed, last, out);
    }
}
