// @ts-check
/**
 * Everything that shows the seats of one event: the map, the list, the prices, the finder; made when plan and states
 * are there, and kept as live as the sale.
 *
 * @typedef {import('../state/protocol.js').Wish} Wish
 * @typedef {import('../state/sale.js').Sale} Sale
 * @typedef {import('./event_layout.js').Layout} Layout
 *
 * @typedef {object} RoomListener
 * @property {(seat: number) => void} onToggle
 * @property {(wish: Wish) => void} onFind
 */

import { echo } from '../announcer.js';
import { MiniMap } from '../map/mini_map.js';
import { SeatMap } from '../map/seat_map.js';
import { boxAround } from '../state/plan.js';
import { Runs } from '../state/runs.js';
import { Tally } from '../state/tally.js';
import { Finder } from './finder.js';
import { HoverCard } from './hover_card.js';
import { Legend } from './legend.js';
import { SeatList } from './seat_list.js';
import { spokenSeat } from './words.js';

/** How much of the row around a seat is shown with it, in seats. */
const SHOWN_AROUND = 10;

export class Room {
  /**
   * @param {Layout} layout @param {import('../state/plan.js').Plan} plan @param {Sale} sale
   * @param {Wish | null} wish what was asked of the finder before @param {RoomListener} listener
   */
  constructor(layout, plan, sale, wish, listener) {
    this.plan = plan;
    this.runs = new Runs(plan);
    this._sale = sale;
    this._tally = new Tally(plan, sale.table.states);
    const card = new HoverCard(layout.mapFrame, plan, sale, this._tally);
    const map = new SeatMap(layout.mapFrame, plan, {
      onToggle: listener.onToggle,
      onFocus: (seat) => echo(spokenSeat(plan, seat, sale.lookOf(seat))),
      onHover: (hovered, at) => card.show(hovered, at),
      onView: () => this._miniMap.update(),
    });
    this._map = map;
    this._miniMap = new MiniMap(layout.miniMap, plan, map);
    this._list = new SeatList(layout.list, plan, sale, this._tally, {
      onToggle: listener.onToggle,
      onOpen: (section) => map.show(plan.sections[section].box),
      onOpenRow: (row) => map.show(plan.rows[row].box),
    });
    this._legend = new Legend(layout.legend, plan, (categories) => map.filter(categories));
    this.finder = new Finder(layout.finder, plan, sale.ticketsMax, wish, listener.onFind);
    sale.onSeatChange = (seat, before, after) => this._tally.change(seat, before, after);
    layout.onRoom(map, plan.hasAccessible);
  }

  destroy() {
    this._map.destroy();
    this._miniMap.destroy();
  }

  /** Every state may be another. */
  reload() {
    const { states } = this._sale.table;
    this._tally.recount(states);
    this._map.setStates(states);
    this._list.update('all');
  }

  /** @param {Iterable<number>} seats that look different now */
  update(seats) {
    this._map.update(seats);
    this._list.update(seats);
  }

  /** @returns {number} how many seats are left */
  updateCounts() {
    this._list.updateCounts();
    this._legend.update(this._tally);
    return this._tally.total;
  }

  /** What is mine and what is chosen may be another. */
  mark() {
    const { hold, selected } = this._sale;
    this._map.mark(hold.seats, selected);
    this._list.update([...hold.seats, ...selected]);
  }

  /** @param {number[]} seats to be seen on the map */
  show(seats) {
    const around = this.plan.seatRadius * 2 * SHOWN_AROUND;
    this._map.show(boxAround(seats.map((seat) => {
      const { x, y } = this.plan.pointOf(seat);
      return { x: x - around, y: y - around, width: 2 * around, height: 2 * around };
    })));
  }
}
