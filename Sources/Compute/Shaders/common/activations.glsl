// Activation functions, chosen by a specialization constant so that a pipeline holds only its own.
#ifndef FOVEA_ACTIVATIONS
#define FOVEA_ACTIVATIONS

#define ACTIVATION_NONE 0
#define ACTIVATION_GELU 1        // exact: x/2 (1 + erf(x / sqrt 2))
#define ACTIVATION_GELU_TANH 2   // x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
#define ACTIVATION_QUICK_GELU 3  // x sigmoid(1.702 x)
#define ACTIVATION_RELU 4
#define ACTIVATION_SILU 5        // x sigmoid(x)

// erf: below 1 its Maclaurin series to x^19 (2e-8), above 1 - P(t) exp(-x^2) with t = 1/(1 + p x) (Abramowitz and
// Stegun 7.1.26: 1.5e-7); the split keeps the error of a device's exp, a few 1e-6 relative, below 6e-7.
float errorFunction(float x) {
    float a = abs(x);
    float s = min(a * a, 1.0);
    float series = -1.6365844e-7;
    series = series * s + 1.6462114e-6;
    series = series * s - 1.49256504e-5;
    series = series * s + 1.20553330e-4;
    series = series * s - 8.54832702e-4;
    series = series * s + 5.22397763e-3;
    series = series * s - 2.68661706e-2;
    series = series * s + 1.12837917e-1;
    series = series * s - 3.76126389e-1;
    series = series * s + 1.12837917;
    float t = 1.0 / (1.0 + 0.3275911 * a);
    float tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return a < 1.0 ? x * series : sign(x) * (1.0 - tail * exp(-min(a * a, 80.0)));
}

float sigmoid(float x) { return 1.0 / (1.0 + exp(-clamp(x, -80.0, 80.0))); }

float activate(float x, uint kind) {
    switch (kind) {
        case ACTIVATION_GELU: return 0.5 * x * (1.0 + errorFunction(x * 0.70710678118654752));
        // tanh(u) = 2 sigmoid(2u) - 1, hence x/2 (1 + tanh u) = x sigmoid(2u): no cancellation, no overflow.
        case ACTIVATION_GELU_TANH: return x * sigmoid(1.5957691216057308 * (x + 0.044715 * x * x * x));
        case ACTIVATION_QUICK_GELU: return x * sigmoid(1.702 * x);
        case ACTIVATION_RELU: return max(x, 0.0);
        case ACTIVATION_SILU: return x * sigmoid(x);
        default: return x;
    }
}

#endif
