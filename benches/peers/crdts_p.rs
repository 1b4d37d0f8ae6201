//! crdts::Map<Id, MVReg<Rec>>: record-level registers that keep concurrent values.
//! Steady state ships operations from an outbox the application keeps; the initial sync
//! ships and merges the whole state (the crate has no diff).
use super::*;
use crdts::{CmRDT, CvRDT, MVReg, Map};
type M = Map<Id, MVReg<Rec, u8>, u8>;
type Op = crdts::map::Op<Id, MVReg<Rec, u8>, u8>;
pub struct Cr;
pub struct Rep {
    m: M,
    out: Vec<Op>,
    side: u8,
}
fn put(r: &mut Rep, rec: Rec) -> Op {
    let ctx = r.m.read_ctx().derive_add_ctx(r.side);
    let op = r.m.update(rec.id, ctx, |v, c| v.write(rec, c));
    r.m.apply(op.clone());
    op
}
/// Ships the whole state of the server to a device that has nothing.
fn whole(d: &mut Rep, s: &mut Rep) -> Wire {
    let down = postcard::to_stdvec(&s.m).unwrap();
    d.m.merge(postcard::from_bytes::<M>(&down).unwrap());
    d.out.clear();
    s.out.clear();
    Wire { down: down.len(), msgs: 1, ..Wire::default() }
}
impl Peer for Cr {
    const NAME: &'static str = "crdts";
    type Rep = Rep;
    fn server(recs: &[Rec]) -> Rep {
        let mut r = Rep { m: Map::new(), out: vec![], side: 1 };
        for x in recs {
            put(&mut r, x.clone());
        }
        r
    }
    fn device() -> Rep {
        Rep { m: Map::new(), out: vec![], side: 0 }
    }
    fn edit(r: &mut Rep, e: &Edit) {
        match e {
            Edit::Set { id, field, val, mtime } => {
                if let Some(v) = r.m.get(id).val {
                    let mut rec = v.read().val.into_iter().max_by_key(|x| x.mtime).unwrap();
                    rec.f[*field] = val.clone();
                    rec.mtime = *mtime;
                    let op = put(r, rec);
                    r.out.push(op);
                }
            }
            Edit::Put(rec) => {
                let op = put(r, rec.clone());
                r.out.push(op);
            }
            Edit::Del { id, .. } => {
                let op = r.m.rm(*id, r.m.get(id).derive_rm_ctx());
                r.m.apply(op.clone());
                r.out.push(op);
            }
        }
    }
    fn sync(d: &mut Rep, s: &mut Rep) -> Wire {
        if d.m.is_empty().val {
            return whole(d, s);
        }
        let up = postcard::to_stdvec(&std::mem::take(&mut d.out)).unwrap();
        let down = postcard::to_stdvec(&std::mem::take(&mut s.out)).unwrap();
        for op in postcard::from_bytes::<Vec<Op>>(&up).unwrap() {
            s.m.apply(op);
        }
        for op in postcard::from_bytes::<Vec<Op>>(&down).unwrap() {
            d.m.apply(op);
        }
        Wire { up: up.len(), down: down.len(), msgs: 2, conflicts: 0 }
    }
    fn digest(r: &Rep) -> u64 {
        let mut h = 0;
        for e in r.m.iter() {
            for v in e.val.1.read().val {
                h ^= rec_digest(&v);
            }
        }
        h
    }
}
