// Values that change from decode step to decode step. Recorded commands read them here, so that a step can be replayed.
#ifndef FOVEA_STEP_STATE
#define FOVEA_STEP_STATE

#include "memory.glsl"

layout(buffer_reference, scalar, buffer_reference_align = 4) readonly buffer StepState {
    uint position;     // index of the first new token
    uint keyCount;     // position + tokens of the step
    uint rows;
    uint reserved[5];  // the first is 1/T as a float: kernels of sample/ get its address
    uint tokens[16];
};

#endif
