// A tenth of a credit for 256 pixels; it grows with the area.
function computeCost(context) {
  return { cost: Math.max(0.01, Math.round(10 * (context.size / 256) ** 2) / 100), details: { size: context.size } };
}
