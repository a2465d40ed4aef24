import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A way to a server that can be cut and mended: what uses it sees the server go away and come back. */
export class CuttableWay {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private port = 0;

  private constructor(private readonly target: URL) {
    this.server = createServer((near) => {
      const far = connect(Number(target.port), target.hostname);
      for (const socket of [near, far]) {
        this.sockets.add(socket);
        socket.on('error', () => undefined).on('close', () => this.drop(near, far));
      }
      near.pipe(far).pipe(near);
    });
  }

  static async to(url: string): Promise<CuttableWay> {
    const way = new CuttableWay(new URL(url));
    await way.listen(0);
    return way;
  }

  /** The server's address, by this way. */
  get url(): string {
    const url = new URL(this.target);
    [url.hostname, url.port] = ['127.0.0.1', String(this.port)];
    return url.href;
  }

  async cut(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  mend(): Promise<void> {
    return this.listen(this.port);
  }

  private async listen(port: number): Promise<void> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  private drop(...sockets: Socket[]): void {
    for (const socket of sockets) {
      socket.destroy();
      this.sockets.delete(socket);
    }
  }
}
