/* Copies pictures off a canvas: all of the first one's size, and on white, as a page shows them. */
platen.Camera = class Camera {
  /** Beyond about 35 megapixels there is no VP9. */
  static MAX_PIXELS = 4096 * 4096;
  static sideOf = (side) => Object.getOwnPropertyDescriptor(HTMLCanvasElement.prototype, side).get;
  static widthOf = Camera.sideOf('width');
  static heightOf = Camera.sideOf('height');

  /** H.264 has pictures of even sides only: `isEven` leaves out a last odd row and column. */
  constructor(canvas, isEven) {
    const kept = (side) => (isEven ? side - (side % 2) : side);
    this.canvasSize = Camera.sizeOf(canvas);
    this.width = kept(Camera.widthOf.call(canvas));
    this.height = kept(Camera.heightOf.call(canvas));
    if (this.width === 0 || this.height === 0) throw new Error(`A canvas of ${this.canvasSize} is too small`);
    if (this.width * this.height > Camera.MAX_PIXELS) throw new Error(`A canvas of ${this.canvasSize} is too large`);
    const options = { alpha: false, willReadFrequently: true };
    this.context = new OffscreenCanvas(this.width, this.height).getContext('2d', options);
    this.context.fillStyle = 'white';
  }

  static sizeOf(canvas) {
    return `${Camera.widthOf.call(canvas)} x ${Camera.heightOf.call(canvas)}`;
  }

  /** RGBA. Throws when the canvas has become another size: a video keeps one. */
  picture(canvas) {
    const { context, width, height, canvasSize } = this;
    const size = Camera.sizeOf(canvas);
    if (size !== canvasSize) throw new Error(`The canvas changed from ${canvasSize} to ${size}`);
    context.fillRect(0, 0, width, height);
    context.drawImage(canvas, 0, 0);
    return context.getImageData(0, 0, width, height);
  }
};
