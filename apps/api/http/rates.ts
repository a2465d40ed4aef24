import { SetMetadata } from '@nestjs/common';

export const SUBMIT_RATE = 'platen:submit-rate';

/**
 * Counts a route, or all routes of a controller, against the plan's submits a minute (600), not its reads
 * (6,000). For POSTs that create generations.
 */
export const SubmitRate = () => SetMetadata(SUBMIT_RATE, true);
