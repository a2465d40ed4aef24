// Four hundredths of a credit for each megapixel that was begun.
function computeCost(context) {
  const megapixels = Math.ceil((context.width * context.height) / 1e6);
  return { cost: 0.04 * megapixels, details: { megapixels } };
}
