// Weight rows of a tile of linear/tile or linear/matrix. The kernel declares GATED and TILE_ROWS, the tile's weight rows.
// GATED: of four weight rows two are gates, two their partners.
const uint OUTPUTS = GATED ? TILE_ROWS / 2 : TILE_ROWS;

// The output that weight row r of the tile belongs to.
uint outputOf(uint r) { return gl_WorkGroupID.x * OUTPUTS + (GATED ? 2 * (r / 4) + r % 2 : r); }
bool isPartner(uint r) { return GATED && r % 4 >= 2; }
// Rows beyond the end repeat the last one.
uint64_t tileWeights(uint r) { return weightRow(p.w, min(outputOf(r), p.N - 1) + (isPartner(r) ? p.gate : 0), p.wStride); }
