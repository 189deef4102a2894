// Lists of a row's best tokens, and how they are ranked: best first, equal values by lower id.
#ifndef FOVEA_SAMPLE_LIST
#define FOVEA_SAMPLE_LIST

// TokenCandidates.capacity and .columnsPerList on the host.
const uint CAPACITY = 65;
const uint COLUMNS = 512;

#define NOTHING uintBitsToFloat(0xff800000u)   // −∞, which is never listed
const uint NONE = 0xffffffffu;

struct Entry { float value; uint id; };

// A list shorter than CAPACITY ends with the entry (NOTHING, NONE).
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer List {
    float sum;         // Σ exp(x − top), top the first entry; negative: there is a NaN among the values
    float scaledSum;   // Σ exp((x − top) / T)
    uint taken;        // entries that the merge is done with
    uint reserved;
    Entry entries[CAPACITY];
};

const uint LIST_BYTES = 16 + CAPACITY * 8;

Entry better(Entry a, Entry b) {
    const bool above = b.value > a.value, tied = b.value == a.value, lower = b.id < a.id;
    const bool ahead = tied && lower;
    const bool take = above || ahead;
    return Entry(take ? b.value : a.value, take ? b.id : a.id);
}

Entry betterAcross(Entry a, uint distance) {
    return better(a, Entry(subgroupShuffleXor(a.value, distance), subgroupShuffleXor(a.id, distance)));
}

Entry bestOverSubgroup(Entry a) {
    a = betterAcross(a, 1);
    a = betterAcross(a, 2);
    a = betterAcross(a, 4);
    if (SUBGROUP > 8) a = betterAcross(a, 8);
    if (SUBGROUP > 16) a = betterAcross(a, 16);
    if (SUBGROUP > 32) a = betterAcross(a, 32);
    return a;
}

#endif
