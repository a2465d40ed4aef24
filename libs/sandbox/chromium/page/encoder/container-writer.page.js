/* WebM and MP4. The bytes must not depend on how fast the machine is, so nothing adapts to that. */
platen.ContainerWriter = class ContainerWriter {
  static CODECS = { vp9: 'vp9', av1: 'av1', h264: 'avc' };
  /** Of the H.264 encoder, which knows no quality but a rate: bits a pixel, for much that moves. */
  static H264_BITS = 0.5;

  constructor({ format, codec, frames, fps }, { width, height }, outbox) {
    const { H264_BITS, CODECS } = ContainerWriter;
    const { Output, WebMOutputFormat, Mp4OutputFormat, StreamTarget, VideoSampleSource } = Mediabunny;
    this.fps = fps;
    this.source = new VideoSampleSource({
      codec: CODECS[codec],
      bitrate: codec === 'h264' ? Math.round(width * height * fps * H264_BITS) : Mediabunny.QUALITY_HIGH,
      keyFrameInterval: 2,
      latencyMode: 'quality',
      hardwareAcceleration: 'prefer-software',
    });
    const write = ({ position, data }) => outbox.write(position, data);
    this.output = new Output({
      // The index stands before the pictures, so that players begin before they have all.
      format: format === 'mp4' ? new Mp4OutputFormat({ fastStart: 'reserve' }) : new WebMOutputFormat(),
      target: new StreamTarget(new WritableStream({ write })),
    });
    this.output.addVideoTrack(this.source, { frameRate: fps, maximumPacketCount: frames });
    this.started = this.output.start();
  }

  /** Resolves when the encoder can take another. */
  async add({ data, width, height }, index) {
    await this.started;
    const time = { timestamp: index / this.fps, duration: 1 / this.fps };
    const size = { codedWidth: width, codedHeight: height };
    const sample = new Mediabunny.VideoSample(data, { format: 'RGBX', ...size, ...time });
    await this.source.add(sample);
    sample.close();
  }

  async finish() {
    await this.output.finalize();
  }
};
