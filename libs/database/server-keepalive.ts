/**
 * `options` of every connection: Postgres probes it after 30 s of silence, and ends the session a minute later. By its
 * own default a session whose client is gone, and nobody said so, holds one of `max_connections` for two hours.
 */
export const SERVER_KEEPALIVE = '-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3';
