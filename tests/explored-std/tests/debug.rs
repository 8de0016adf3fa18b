#[macro_use]
extern crate explored_std as std;
mod support;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::*;
use std::sync::*;
use std::thread;
#[test]
fn dbg1() {
    for reduced in [false, true] {
        let log = std::real::sync::Arc::new(std::real::sync::Mutex::new(vec![]));
        let l2 = log.clone();
        let r = std::explored::every_outcome(
            &std::explored::Config { spurious: 0, schedules: 30000, ..support::config() },
            reduced,
            move || {
                let mut l = l2.lock().unwrap();
                l.sort();
                std::mem::take(&mut *l).join(" ")
            },
            move || {
                let w = std::sync::Arc::new((Mutex::new(0), Condvar::new(), AtomicUsize::new(0)));
                drop(w.0.lock());
                w.1.notify_all();
                let w1 = w.clone();
                let w2 = w.clone();
                let (la, lb, lc) = (log.clone(), log.clone(), log.clone());
                let t1 = thread::spawn(move || {
                    lb.lock().unwrap().push(format!("b{}", w1.2.fetch_add(1, SeqCst)));
                    w1.1.notify_one();
                    drop(w1.1.wait(w1.0.lock().unwrap()));
                });
                let t2 = thread::spawn(move || {
                    w2.1.notify_one();
                    lc.lock().unwrap().push(format!("c{}", w2.2.load(SeqCst)));
                });
                drop(w.1.wait(w.0.lock().unwrap()));
                la.lock().unwrap().push(format!("a{}", w.2.load(SeqCst)));
                t1.join().unwrap();
                t2.join().unwrap();
            },
        );
        println!("{r:#?}");
    }
}
