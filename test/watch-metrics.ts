import { jest } from '@jest/globals';
import { metrics } from '../lambdas/aws/telemetry.ts';

/** Passes every metric that the code adds while a test runs to `onMetric`. None is published. */
export function watchMetrics(onMetric: (name: string, unit: string, value: number) => unknown): void {
  jest.spyOn(metrics, 'publishStoredMetrics').mockReturnThis();
  jest.spyOn(metrics, 'addMetric').mockImplementation((name, unit, value) => {
    onMetric(name, unit, value);
    return metrics;
  });
}
