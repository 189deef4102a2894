// One query row lying across the subgroup, and its product with a key per lane. (Global: glslang copies arrays of
// specialized size wrongly when they are handed to functions.)
vec4 q[PER_LANE];

void loadQuery(uint64_t row, uint lane, float scale) {
    [[unroll]] for (uint c = 0; c < PER_LANE; c++) q[c] = query4(row, lane + SUBGROUP * c) * scale;
}

// q . key for this lane's key, the query row lying across the subgroup.
float score(ROW keyRow) {
    float s = 0;
    [[unroll]] for (uint t = 0; t < V4; t++) {
        vec4 a = subgroupShuffle(q[t / SUBGROUP], t % SUBGROUP);
        vec4 b = key4(keyRow, t);
        s = fma(a.x, b.x, s);
        s = fma(a.y, b.y, s);
        s = fma(a.z, b.z, s);
        s = fma(a.w, b.w, s);
    }
    return s;
}
