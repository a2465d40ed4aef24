// Larger posters cost more: half a credit for each megapixel.
function computeCost(context) {
  const megapixels = (context.size * context.size) / 1e6;
  return { cost: 0.5 * megapixels, details: { megapixels } };
}
