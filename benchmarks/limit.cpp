// RMSprop on f = HESSIAN theta^2 / 2, d = 1, by hand in AVX-512: the engine's own arithmetic, state and normals in
// registers, GROUPS groups of 16 trajectories interleaved. Prints ns a step and the mean of theta.
#include <immintrin.h>

#include <chrono>
#include <cstdint>
#include <cstdio>

#define INLINE static inline __attribute__((always_inline))
typedef __m512i I;
typedef __m512 F;
typedef __m512d D;

INLINE I word(uint64_t x) { return _mm512_set1_epi64(x); }
INLINE I half(uint32_t x) { return _mm512_set1_epi32(x); }
INLINE F f32(float x) { return _mm512_set1_ps(x); }
INLINE D f64(double x) { return _mm512_set1_pd(x); }

// The polynomial with coefficients c, the highest first, times scale, at t / unit.
template <int N>
INLINE D horner(D t, const double (&c)[N], double scale, double unit = 1.0) {
    D r = f64(0.0);
#pragma GCC unroll 16
    for (int i = 0; i < N; i++) {
        double factor = scale;
#pragma GCC unroll 16
        for (int j = 1; j < N - i; j++) factor /= unit;
        r = i ? _mm512_fmadd_pd(r, t, f64(c[i] * factor)) : f64(c[i] * factor);
    }
    return r;
}

template <int N>
INLINE F horner(F t, const float (&c)[N], float scale) {
    F r = f32(c[0] * scale);
#pragma GCC unroll 16
    for (int i = 1; i < N; i++) r = _mm512_fmadd_ps(r, t, f32(c[i] * scale));
    return r;
}

// Philox4x32-10 of 8 counters (counter, 0, trajectory low, trajectory high).
INLINE void philox(uint64_t counter, I low, I high, I *out) {
    const I m0 = word(0xD2511F53), m1 = word(0xCD9E8D57);
    I c0 = word(counter), c1 = word(0), c2 = low, c3 = high;
    uint32_t k0 = uint32_t(KEY), k1 = uint32_t(KEY >> 32);
#pragma GCC unroll 10
    for (int r = 0; r < 10; r++) {
        I p0 = _mm512_mul_epu32(c0, m0), p1 = _mm512_mul_epu32(c2, m1);
        c0 = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p1, 32), c1, word(k0), 0x96);
        c2 = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p0, 32), c3, word(k1), 0x96);
        c1 = p1, c3 = p0, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
    const I mask = word(0xFFFFFFFF);
    out[0] = _mm512_and_si512(c0, mask), out[1] = _mm512_and_si512(c1, mask);
    out[2] = _mm512_and_si512(c2, mask), out[3] = _mm512_and_si512(c3, mask);
}

static const double LOG[] = {0.04272800730435181599, -0.08467876411458123892, 0.08750405232693213649,
    -0.08317435210903283494, 0.08954162789286712403, -0.09987366169121653327, 0.1111941305278998133,
    -0.1250107539950175642, 0.1428545826094488067, -0.1666663223379429593, 0.200000038055127538,
    -0.2500000043312814889, 0.333333333114172519, -0.4999999999851255881, 1.000000000000217187};
static const double SIN[] = {0.0004474920849077101067, -0.007364005472115722526, 0.08214479467064854921,
    -0.5992644339357286458, 2.550164035906744668, -5.167712779987959002, 3.141592653589635062};
static const double COS[] = {0.001839989437269404164, -0.02577631642731585908, 0.2353254365877112031,
    -1.335262315261569953, 4.058712107537437622, -4.93480220024984952, 0.9999999999992479627};
static const float LOG32[] = {0.08533313082996151933f, -0.1426925820621883219f, 0.149774012801273749f,
    -0.1657799289679886257f, 0.1995593335838324744f, -0.250013521854960623f, 0.3333419328613507802f,
    -0.4999999638212388812f, 0.9999999741310670792f};
static const float SIN32[] = {0.077815689146518707f, -0.59840786457061768f, 2.5501074790954590f,
    -5.1677131652832031f, 3.1415927410125732f};
static const float COS32[] = {-0.02439593209755044447f, 0.23493706859508651f, -1.335211949390550338f,
    4.058709154763134254f, -4.934802136928945637f, 0.9999999997791540319f};

INLINE void box_muller(I a, I b, D &z0, D &z1) {
    const I high = word(0x4330000000000000), fraction = word(0x000FFFFFFFFFFFFF), root = word(0x3FE6A09E667F3BCD);
    D u = _mm512_sub_pd(_mm512_castsi512_pd(_mm512_or_si512(a, high)), f64(0x1p52 - 0.5));
    I moved = _mm512_add_epi64(_mm512_castpd_si512(u), word(0x3FF0000000000000 - 0x3FE6A09E667F3BCD));
    D f = _mm512_castsi512_pd(_mm512_add_epi64(_mm512_and_si512(moved, fraction), root));
    f = _mm512_sub_pd(f, f64(1.0));
    D n = _mm512_castsi512_pd(_mm512_or_si512(_mm512_srli_epi64(moved, 52), high));
    n = _mm512_sub_pd(f64(0x1p52 + 1023.0 + 32.0), n);
    D radius = _mm512_sqrt_pd(_mm512_fmsub_pd(n, f64(0x1.62e42fefa39efp0), _mm512_mul_pd(f, horner(f, LOG, 2.0))));
    I low = _mm512_or_si512(_mm512_and_si512(b, word(0x7FFFFFFF)), high);
    D x = _mm512_sub_pd(_mm512_castsi512_pd(low), f64(0x1p52 + 0x1p30)), y = _mm512_mul_pd(x, x);
    I sign = _mm512_and_si512(_mm512_slli_epi64(b, 32), word(0x8000000000000000));
    z0 = _mm512_mul_pd(_mm512_castsi512_pd(_mm512_xor_si512(_mm512_castpd_si512(radius), sign)), horner(y, COS, 1.0, 0x1p62));
    z1 = _mm512_mul_pd(radius, _mm512_mul_pd(x, horner(y, SIN, 0x1p-31, 0x1p62)));
}

INLINE void box_muller32(I a, I b, F &z0, F &z1) {
    F u = _mm512_add_ps(_mm512_cvtepi32_ps(_mm512_srli_epi32(a, 1)), f32(0.5f));
    I moved = _mm512_add_epi32(_mm512_castps_si512(u), half(0x3F800000 - 0x3F3504F3));
    F f = _mm512_castsi512_ps(_mm512_add_epi32(_mm512_and_si512(moved, half(0x007FFFFF)), half(0x3F3504F3)));
    f = _mm512_sub_ps(f, f32(1.0f));
    F n = _mm512_sub_ps(f32(127.0f + 31.0f), _mm512_cvtepi32_ps(_mm512_srli_epi32(moved, 23)));
    F radius = _mm512_sqrt_ps(_mm512_fmsub_ps(n, f32(1.38629436f), _mm512_mul_ps(f, horner(f, LOG32, 2.0f))));
    F x = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_slli_epi32(b, 1)), f32(0x1p-32f)), y = _mm512_mul_ps(x, x);
    I sign = _mm512_and_si512(b, half(0x80000000));
    z0 = _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(radius), sign));
    z0 = _mm512_mul_ps(z0, horner(y, COS32, 1.0f));
    z1 = _mm512_mul_ps(radius, _mm512_mul_ps(x, horner(y, SIN32, 1.0f)));
}

// The state of 16 trajectories, and the four normals of a Philox block for each: lanes 0 - 7, then 8 - 15.
struct Group {
    D theta[2], u[2], z[4][2];
    I low[2], high[2];

    void begin(uint64_t trajectory) {
        for (int i = 0; i < 2; i++) {
            I index = _mm512_add_epi64(word(trajectory + 8 * i), _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7));
            low[i] = _mm512_and_si512(index, word(0xFFFFFFFF)), high[i] = _mm512_srli_epi64(index, 32);
            theta[i] = f64(THETA), u[i] = f64(U);
        }
    }

    INLINE F together(D a, D b) {
        return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(a)), _mm512_cvtpd_ps(b), 1);
    }

    INLINE I narrow(I a, I b) {
        return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi64_epi32(a)), _mm512_cvtepi64_epi32(b), 1);
    }

    INLINE void widen(F x, D *out) {
        out[0] = _mm512_cvtps_pd(_mm512_castps512_ps256(x)), out[1] = _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
    }

    inline __attribute__((always_inline)) void draw(uint64_t counter) {
        I a[4], b[4];
        philox(counter, low[0], high[0], a), philox(counter, low[1], high[1], b);
        for (int i = 0; i < 4; i += 2) {
            if (MIX) {
                F z0, z1;
                box_muller32(narrow(a[i], b[i]), narrow(a[i + 1], b[i + 1]), z0, z1);
                widen(z0, z[i]), widen(z1, z[i + 1]);
            } else {
                box_muller(a[i], a[i + 1], z[i][0], z[i + 1][0]), box_muller(b[i], b[i + 1], z[i][1], z[i + 1][1]);
            }
        }
    }

    inline __attribute__((always_inline)) void step(int n) {
        D p[2];
        if (MIX) {
            F root = _mm512_sqrt_ps(together(_mm512_add_pd(u[0], f64(1e-36)), _mm512_add_pd(u[1], f64(1e-36))));
            F below = _mm512_add_ps(_mm512_mul_ps(f32(SIGMA0), root), f32(EPS0));
            widen(_mm512_div_ps(f32(1.0f), below), p);
        } else {
            for (int i = 0; i < 2; i++) {
                D below = _mm512_add_pd(_mm512_mul_pd(f64(SIGMA0), _mm512_sqrt_pd(u[i])), f64(EPS0));
                p[i] = _mm512_div_pd(f64(1.0), below);
            }
        }
        for (int i = 0; i < 2; i++) {
            D f = _mm512_mul_pd(f64(HESSIAN), theta[i]);
            D d = _mm512_fmadd_pd(f64(C0), f, _mm512_mul_pd(f64(C1), z[n][i]));
            D w = _mm512_fmadd_pd(f64(C2), f, z[n][i]);
            theta[i] = _mm512_fnmadd_pd(d, p[i], theta[i]);
            u[i] = _mm512_fmadd_pd(f64(C3), _mm512_fmsub_pd(w, w, u[i]), u[i]);
        }
    }
};

template <int GROUPS>
double run(double &mean) {
    auto begin = std::chrono::steady_clock::now();
    double total = 0.0;
    for (long first = 0; first < TRAJECTORIES; first += 16 * GROUPS) {
        Group groups[GROUPS];
        for (int g = 0; g < GROUPS; g++) groups[g].begin(first + 16 * g);
        for (int k = 0; k < STEPS; k += 4) {
#pragma GCC unroll 4
            for (int g = 0; g < GROUPS; g++) groups[g].draw(k / 4);
#pragma GCC unroll 4
            for (int n = 0; n < 4; n++)
#pragma GCC unroll 4
                for (int g = 0; g < GROUPS; g++) groups[g].step(n);
        }
        for (int g = 0; g < GROUPS; g++)
            for (int i = 0; i < 2; i++) total += _mm512_reduce_add_pd(groups[g].theta[i]);
    }
    mean = total / TRAJECTORIES;
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    return 1e9 * seconds.count() / (double(TRAJECTORIES) * STEPS);
}

int main() {
    double mean, times[] = {run<1>(mean), run<2>(mean), run<4>(mean)}, best = times[0];
    for (double each : times) best = each < best ? each : best;
    std::printf("%.6g %.17g\n", best, mean);
}
