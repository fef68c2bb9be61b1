"""What a kernel with swap does at a memory cgroup's limit; see README.md."""
import json
import mmap
import os
import subprocess
import sys
import tempfile
import time

if os.geteuid() or not os.path.exists('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes'):
    sys.exit('needs root and cgroup v1 with memory.memsw')
W = tempfile.mkdtemp()
M='/sys/fs/cgroup/memory'; G = '/swap_recorder'
def w(p,v): open(M+p,'w').write(v)
def r(p): return int(open(M+p).read())
MB=1<<20
def run(limit, memsw, ops, swappiness=60, tmpfs=None):
    """ops: list of (proc, kind, mib). Each proc is a forked child that obeys through a pipe."""
    os.makedirs(M+G,exist_ok=True)
    w(G+'/memory.limit_in_bytes',str(limit*MB))
    w(G+'/memory.memsw.limit_in_bytes',str(memsw*MB) if memsw else '-1')
    w(G+'/memory.swappiness',str(swappiness))
    mnt = W + '/mnt'
    if tmpfs:
        os.makedirs(mnt,exist_ok=True); subprocess.check_call(['mount','-t','tmpfs','-o',tmpfs,'x',mnt])
    procs={}; out=[]
    def spawn():
        a,b=os.pipe(); c,d=os.pipe(); pid=os.fork()
        if pid==0:
            os.close(b); os.close(c)
            w(G+'/cgroup.procs',str(os.getpid()))
            keep=[]
            f=os.fdopen(a,'rb',0)
            n=0
            while True:
                line=f.readline()
                if not line: os._exit(0)
                kind,mib=line.split(); mib=int(mib)
                if kind==b'anon':
                    m=mmap.mmap(-1,mib*MB,flags=mmap.MAP_PRIVATE|mmap.MAP_ANONYMOUS)
                    m.madvise(mmap.MADV_NOHUGEPAGE)
                    for i in range(0,mib*MB,4096): m[i]=1
                    keep.append(m)
                elif kind==b'free':
                    keep.pop().close()
                else:
                    fd=os.open(W + '/mnt/%d_%d' %(os.getpid(),n),os.O_CREAT|os.O_WRONLY); n+=1
                    try:
                        for i in range(mib): os.write(fd,b'x'*MB)
                    except OSError: os.write(d,b'E'); continue
                os.write(d,b'k')
        os.close(a); os.close(d)
        return pid,b,c
    for p,kind,mib in ops:
        if p not in procs: procs[p]=spawn()
        pid,b,c=procs[p]
        try: os.write(b,f'{kind} {mib}\n'.encode())
        except BrokenPipeError: pass
        a=os.read(c,1)
        time.sleep(0.3)
        dead=[]
        for q,(qp,_,_) in procs.items():
            try:
                if os.waitpid(qp,os.WNOHANG)[0]: dead.append(q)
            except ChildProcessError: dead.append(q)
        u=r(G+'/memory.usage_in_bytes'); ms=r(G+'/memory.memsw.usage_in_bytes')
        out.append(dict(op=[p,kind,mib],answer=a.decode(),usage=round(u/MB,1),swap=round((ms-u)/MB,1),dead=dead))
    for pid,b,c in procs.values():
        try: os.kill(pid,9); os.waitpid(pid,0)
        except Exception: pass
        os.close(b)
    if tmpfs: subprocess.call(['umount',mnt])
    time.sleep(0.3)
    for _ in range(20):
        try: os.rmdir(M+G); break
        except OSError: time.sleep(0.2)
    return out
subprocess.check_call(f'fallocate -l 1G {W}/swap && chmod 600 {W}/swap && mkswap -q {W}/swap && swapon {W}/swap', shell=True)
try:
    T=[('anon beyond limit',256,None,[('a','anon',200),('a','anon',200)],60,None),
       ('memsw',256,320,[('a','anon',200),('a','anon',100),('a','anon',100)],60,None),
       ('tmpfs',256,None,[('a','tmpfs',200),('a','tmpfs',200)],60,'size=1g'),
       ('tmpfs noswap',256,None,[('a','tmpfs',200),('a','tmpfs',200)],60,'size=1g,noswap'),
       ('swappiness 0',256,None,[('a','anon',200),('a','anon',200)],0,None),
       ('badness counts swap',256,400,[('a','anon',240),('b','anon',140),('b','anon',60)],60,None),
       ('swap full',256,None,[('a','anon',600),('a','anon',600),('a','anon',200)],60,None),
       ('free',256,None,[('a','anon',200),('a','anon',200),('a','free',0)],60,None),
       ('mixed',256,None,[('a','anon',100),('a','tmpfs',100),('a','anon',100),('a','tmpfs',100)],60,'size=1g'),
    ]
    for name,l,m,ops,s,t in T:
        print(name,'limit',l,'memsw',m,'swappiness',s,'tmpfs',t)
        for o in run(l,m,ops,s,t): print('   ',json.dumps(o))
finally:
    while subprocess.call(['swapoff', W + '/swap']):
        time.sleep(1)
    subprocess.call(['rm', '-rf', W])
