//! The practical floor: the least an in-memory engine with per-record version vectors, a change
//! index, field-level deltas and three-way field merge can do. No history, no durability, no
//! mass-deletion guard, one peer. `FIELD` = field deltas; else whole records travel.
use super::*;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
pub struct Floor<const FIELD: bool>;
#[derive(Serialize, Deserialize, Clone)]
struct Ent {
    vv: [u32; 2],
    mtime: u64,
    seq: u64,
    mask: u16,
    dead: bool,
    f: [String; NF],
}
pub struct Rep {
    side: usize,
    seq: u64,
    map: HashMap<Id, Ent>,
    log: BTreeMap<u64, Id>,
    sent: u64,
    fresh: bool,
}
#[derive(Serialize)]
struct ChOut<'a> {
    id: &'a Id,
    vv: [u32; 2],
    mtime: u64,
    mask: u16,
    f: Vec<&'a str>,
}
#[derive(Deserialize)]
struct ChIn<'a> {
    id: Id,
    vv: [u32; 2],
    mtime: u64,
    mask: u16,
    #[serde(borrow)]
    f: Vec<&'a str>,
}
const ALL: u16 = (1 << NF) - 1;
const DEAD: u16 = 1 << 15;
impl Rep {
    fn touch(&mut self, id: &Id, seq_old: u64) -> u64 {
        self.log.remove(&seq_old);
        self.seq += 1;
        self.log.insert(self.seq, *id);
        self.seq
    }
    fn outgoing(&self, all: bool, field: bool) -> Vec<u8> {
        let mut v = Vec::new();
        let from = if all { 0 } else { self.sent + 1 };
        for (_, id) in self.log.range(from..) {
            let e = &self.map[id];
            if e.mask == 0 && !all {
                continue;
            }
            let mask = if e.dead {
                DEAD
            } else if all || !field {
                ALL
            } else {
                e.mask & ALL
            };
            let f = (0..NF).filter(|i| mask & (1 << i) != 0).map(|i| e.f[i].as_str()).collect();
            v.push(ChOut { id, vv: e.vv, mtime: e.mtime, mask, f });
        }
        postcard::to_stdvec(&v).unwrap()
    }
    fn clean(&mut self) {
        let ids: Vec<Id> = self.log.range(self.sent + 1..).map(|x| *x.1).collect();
        for id in ids {
            if let Some(e) = self.map.get_mut(&id) {
                e.mask = 0;
            }
        }
        self.sent = self.seq;
    }
    /// Returns the number of concurrent changes met.
    fn incoming(&mut self, b: &[u8]) -> usize {
        let mut conflicts = 0;
        for c in postcard::from_bytes::<Vec<ChIn>>(b).unwrap() {
            let old = match self.map.get_mut(&c.id) {
                None => {
                    let mut f: [String; NF] = Default::default();
                    let mut it = c.f.iter();
                    for i in 0..NF {
                        if c.mask & (1 << i) != 0 {
                            f[i] = it.next().unwrap().to_string();
                        }
                    }
                    let seq = self.touch(&c.id, 0);
                    self.map.insert(c.id, Ent { vv: c.vv, mtime: c.mtime, seq, mask: 0, dead: c.mask & DEAD != 0, f });
                    continue;
                }
                Some(e) => {
                    let newer = c.vv[0] >= e.vv[0] && c.vv[1] >= e.vv[1];
                    let older = c.vv[0] <= e.vv[0] && c.vv[1] <= e.vv[1];
                    if older {
                        continue;
                    }
                    if !newer {
                        conflicts += 1;
                    }
                    let mut it = c.f.iter();
                    for i in 0..NF {
                        if c.mask & (1 << i) != 0 {
                            let v = it.next().unwrap();
                            let mine = !newer && e.mask & (1 << i) != 0 && e.mtime > c.mtime;
                            if !mine {
                                e.f[i].clear();
                                e.f[i].push_str(v);
                            }
                        }
                    }
                    if c.mask & DEAD != 0 {
                        e.dead = true;
                    }
                    if newer {
                        e.mask = 0;
                    }
                    e.vv = [e.vv[0].max(c.vv[0]), e.vv[1].max(c.vv[1])];
                    e.mtime = e.mtime.max(c.mtime);
                    e.seq
                }
            };
            let s = self.touch(&c.id, old);
            self.map.get_mut(&c.id).unwrap().seq = s;
        }
        conflicts
    }
}
impl<const FIELD: bool> Peer for Floor<FIELD> {
    const NAME: &'static str = if FIELD { "floor-field" } else { "floor-record" };
    type Rep = Rep;
    fn server(recs: &[Rec]) -> Rep {
        let mut r = Rep { side: 1, seq: 0, map: HashMap::new(), log: BTreeMap::new(), sent: 0, fresh: false };
        for x in recs {
            let seq = r.touch(&x.id, 0);
            r.map.insert(x.id, Ent { vv: [0, 1], mtime: x.mtime, seq, mask: 0, dead: false, f: x.f.clone() });
        }
        r.sent = r.seq;
        r
    }
    fn device() -> Rep {
        Rep { side: 0, seq: 0, map: HashMap::new(), log: BTreeMap::new(), sent: 0, fresh: true }
    }
    fn edit(r: &mut Rep, e: &Edit) {
        let (id, side) = (
            match e {
                Edit::Set { id, .. } | Edit::Del { id, .. } => *id,
                Edit::Put(x) => x.id,
            },
            r.side,
        );
        let old = r.map.get(&id).map(|e| e.seq).unwrap_or(0);
        let seq = r.touch(&id, old);
        match e {
            Edit::Set { field, val, mtime, .. } => {
                if let Some(x) = r.map.get_mut(&id) {
                    x.f[*field] = val.clone();
                    x.mask |= 1 << field;
                    x.mtime = *mtime;
                    x.vv[side] += 1;
                    x.seq = seq;
                }
            }
            Edit::Put(rec) => {
                let mut vv = [0, 0];
                vv[side] = 1;
                r.map.insert(id, Ent { vv, mtime: rec.mtime, seq, mask: ALL, dead: false, f: rec.f.clone() });
            }
            Edit::Del { mtime, .. } => {
                if let Some(x) = r.map.get_mut(&id) {
                    x.dead = true;
                    x.mask = DEAD;
                    x.mtime = *mtime;
                    x.vv[side] += 1;
                    x.seq = seq;
                }
            }
        }
    }
    fn sync(d: &mut Rep, s: &mut Rep) -> Wire {
        let up = d.outgoing(false, FIELD);
        let mut conflicts = s.incoming(&up);
        let down = s.outgoing(d.fresh, FIELD);
        conflicts += d.incoming(&down);
        d.clean();
        s.clean();
        d.fresh = false;
        Wire { up: up.len(), down: down.len(), msgs: 2, conflicts }
    }
    fn digest(r: &Rep) -> u64 {
        r.map.iter().filter(|x| !x.1.dead).fold(0, |h, (k, e)| h ^ content_digest(k, e.f.iter().map(|s| s.as_str())))
    }
}
