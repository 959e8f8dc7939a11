import { logger, metrics } from '../lambdas/aws/telemetry.ts';

/** Keeps the service from writing log lines and metrics in this process. */
export function silence(): void {
  logger.setLogLevel('SILENT');
  metrics.publishStoredMetrics = () => {
    metrics.clearMetrics();
    metrics.clearDimensions();
    metrics.clearMetadata();
    return metrics;
  };
}
