import { alwaysOpen, payoutHours, weekdays } from '../lambdas/contract.ts';
import type { PayoutWindow } from '../lambdas/contract.ts';

/** Most holidays of a window: all variables of a function have 4 KB together. */
const mostHolidays = 100;
const time = /^([01]\d|2[0-3]):[0-5]\d$/;

/**
 * Returns the window as the functions read it.
 *
 * @throws Error for a time zone that Node.js does not know, for days, times and holidays out of their form, and for a
 * window that is empty or goes past midnight
 */
export function payoutWindowText(window: PayoutWindow | undefined): string {
  if (window === undefined) return alwaysOpen;
  const { timeZone, days, from, to, holidays = [] } = window;
  checkTimeZone(window);
  if (days.length === 0) throw new Error('bank.payoutWindow.days must have a day, received none');
  for (const day of days) {
    if (!weekdays.includes(day)) {
      throw new Error(`bank.payoutWindow.days takes ${weekdays.join(', ')}, received "${day}"`);
    }
  }
  if (!time.test(from)) throw new Error(`bank.payoutWindow.from must be HH:MM, received "${from}"`);
  if (!time.test(to) && to !== '24:00') throw new Error(`bank.payoutWindow.to must be HH:MM, received "${to}"`);
  if (from >= to) {
    throw new Error(`bank.payoutWindow.to must be later than from on the same day, received "${from}" and "${to}"`);
  }
  for (const holiday of holidays) checkDate(holiday);
  if (holidays.length > mostHolidays) {
    throw new Error(`bank.payoutWindow.holidays takes ${mostHolidays} days at most, received ${holidays.length}`);
  }
  return JSON.stringify({ timeZone, days, from, to, holidays } satisfies PayoutWindow);
}

function checkTimeZone(window: PayoutWindow): void {
  try {
    payoutHours({ ...window, from: '00:00', to: '24:00' });
  } catch {
    throw new Error(`bank.payoutWindow.timeZone must be a time zone of IANA, received "${window.timeZone}"`);
  }
}

function checkDate(date: string): void {
  const at = /^\d{4}-\d\d-\d\d$/.test(date) ? Date.parse(date) : NaN;
  if (!Number.isNaN(at) && new Date(at).toISOString().startsWith(date)) return;
  throw new Error(`bank.payoutWindow.holidays takes days as YYYY-MM-DD, received "${date}"`);
}
