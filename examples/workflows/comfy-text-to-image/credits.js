// A quarter of a credit for 20 steps at 512 pixels; it grows with both.
function computeCost(context) {
  const share = (context.steps / 20) * (context.size / 512) ** 2;
  return { cost: Math.max(0.05, Math.round(25 * share) / 100), details: { steps: context.steps, size: context.size } };
}
