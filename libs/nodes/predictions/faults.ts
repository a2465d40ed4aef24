import { ProviderError } from '#libs/providers/provider.js';
import { inputFault, NodeError } from '../node.js';

/** The provider's fault, for good: another attempt would be another prediction. */
export const upstreamFault = (message: string) => new NodeError('UPSTREAM_ERROR', message, true);

/** A provider's failure as the step's verdict; `otherwise` is what a failure of the moment becomes. */
export function toldOf(error: unknown, otherwise: NodeError): unknown {
  if (!(error instanceof ProviderError)) return error instanceof Error && isOutbound(error) ? otherwise : error;
  if (error.fault === 'input') return inputFault('VALIDATION_ERROR', error.message);
  return ['unavailable', 'throttled'].includes(error.fault) ? otherwise : upstreamFault(error.message);
}

/** A connection that broke in the middle of a file. */
const isOutbound = (error: Error): boolean => error.name === 'OutboundError';
