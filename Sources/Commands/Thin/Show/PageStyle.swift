/// The page's style sheet and script, which don't depend on the pool.
enum PageStyle {
  /// Colours have a contrast of at least 3 to 1 with the background, in light and dark mode; text
  /// has 7 to 1.
  static let sheet = """
    :root{color-scheme:light dark;--bg:#fff;--fg:#1c1e21;--dim:#4a4f57;--line:#c9cdd3;
    --soft:#f1f3f5;
    --c0:#2f6db3;--c1:#b35c00;--c2:#2e7d32;--c3:#8e44ad;--c4:#c62828;--c5:#00798a;--c6:#7a5540;
    --c7:#ad1457;--s2:#868c95;--s3:#5f656e;--s4:#30343a;--ok:#1b5e20;--bad:#a31515;--old:#c08a3e}
    @media(prefers-color-scheme:dark){:root{--bg:#14161a;--fg:#e8eaed;--dim:#b4bac3;--line:#3d434c;
    --soft:#1f2329;--c0:#6aa9ee;--c1:#f0a04b;--c2:#6cc070;--c3:#c792ea;--c4:#f28b82;--c5:#4dd0e1;
    --c6:#c8a58f;--c7:#f48fb1;--s2:#757c86;--s3:#a3aab3;--s4:#e3e6ea;--ok:#7fd685;--bad:#ff8a80;
    --old:#b98a4a}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--bg);color:var(--fg);
    font:15px/1.5 system-ui,"DejaVu Sans",sans-serif}
    main{max-width:1100px;margin:0 auto;padding:1rem}
    h1{font-size:1.5rem;margin:0;overflow-wrap:anywhere}
    h2{font-size:1.1rem;margin:2rem 0 .5rem}
    p{margin:.25rem 0;color:var(--dim);overflow-wrap:anywhere}
    .verdict{display:inline-block;padding:0 .6em;border:2px solid var(--bad);border-radius:1em;
    font-size:1rem;color:var(--bad)}
    .verdict.sound{border-color:var(--ok);color:var(--ok)}
    .untold{border-left:4px solid var(--bad);margin:.75rem 0;padding:.25rem 0 .25rem 1.75rem;
    overflow-wrap:anywhere}
    .scroll{overflow-x:auto}
    table{border-collapse:collapse;margin:.5rem 0}
    th,td{padding:.15rem .6rem;text-align:left;border-bottom:1px solid var(--line);
    vertical-align:middle}
    th{font-weight:600}
    th[scope=row]{min-width:6.5rem;overflow-wrap:anywhere}
    .kinds th[scope=row]{white-space:nowrap}
    label{display:flex;align-items:center;gap:.35em}label>*{flex:none}
    label>span{flex:0 1 auto;min-width:0}label .k{margin:0}
    .n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
    svg{display:block}
    .bar{width:100%;height:30px;border:1px solid var(--line)}
    .row{width:200px;height:14px;background:var(--soft)}
    .map{width:100%;background:var(--soft);border:1px solid var(--line)}
    .time{width:100%;height:34px;background:var(--soft)}
    .k{display:inline-block;width:.8em;height:.8em;margin-right:.35em;border:1px solid var(--dim)}
    .m{white-space:nowrap;margin-right:.75em;display:inline-block;max-width:100%;overflow:hidden;
    text-overflow:ellipsis;vertical-align:bottom}
    .two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:0 2rem}
    .two>*{min-width:0}
    ul.sets,ul.family{list-style:none;margin:.5rem 0;padding:0}
    .sets li{display:grid;grid-template-columns:5.5rem 200px minmax(0,1fr);gap:.75rem;
    align-items:center;border-bottom:1px solid var(--line);padding:.2rem 0}
    .size{text-align:right;font-variant-numeric:tabular-nums}
    .family li{display:grid;grid-template-columns:minmax(0,2fr) minmax(0,3fr);gap:.75rem;
    align-items:center;border-bottom:1px solid var(--line)}
    .who{overflow-wrap:anywhere}
    .axis,.ticks{color:var(--dim);font-size:.85em}
    .family .axis{border:0}.ticks{display:flex;justify-content:space-between}
    small{color:var(--dim)}
    pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--soft);padding:.75rem;
    font:13px/1.45 ui-monospace,"DejaVu Sans Mono",monospace}
    pre.signs{white-space:pre;overflow-x:auto;line-height:1.1}
    summary{cursor:pointer}
    #freed{padding:.5rem .75rem;background:var(--soft);border-left:4px solid var(--c0);
    color:var(--fg)}
    th.n{white-space:normal}
    @media(max-width:700px){body{font-size:14px}th[scope=row]{min-width:5rem}
    #volumes th[scope=row]{min-width:7.75rem}#volumes tr>*:last-child{display:none}
    label{gap:.25em}label input{margin:0}
    .wide{display:none}th,td{padding:.15rem .35rem}
    .sets li{grid-template-columns:5rem minmax(0,1fr)}.sets .row{display:none}
    .family li{grid-template-columns:minmax(0,1fr)}}
    .pale{opacity:.45}
    .p-exclusive,.c0{fill:var(--c0);background:var(--c0)}.c1{fill:var(--c1);background:var(--c1)}
    .c2{fill:var(--c2);background:var(--c2)}.c3{fill:var(--c3);background:var(--c3)}
    .c4{fill:var(--c4);background:var(--c4)}.c5{fill:var(--c5);background:var(--c5)}
    .c6{fill:var(--c6);background:var(--c6)}.c7{fill:var(--c7);background:var(--c7)}
    .s2{fill:var(--s2);background:var(--s2)}
    .p-shared,.p-mapped,.s3{fill:var(--s3);background:var(--s3)}
    .s4{fill:var(--s4);background:var(--s4)}
    .p-held{fill:var(--c3);background:var(--c3)}
    rect.p-doubtful,rect.p-untold{fill:url(#hatch)}
    .doubt{fill:var(--bad)}.hb{fill:var(--bg)}.hl{stroke:var(--bad);stroke-width:2;fill:none}
    i.p-doubtful,i.p-untold,i.doubt{background:repeating-linear-gradient(135deg,var(--bad) 0 2px,
    var(--bg) 2px 4px)}
    .p-free,.none,.b0{fill:var(--soft);background:var(--soft)}
    .b1{fill:var(--s4);background:var(--s4)}.b2{fill:var(--c7);background:var(--c7)}
    .b3{fill:var(--c1);background:var(--c1)}.b4{fill:var(--c3);background:var(--c3)}
    .b5{fill:var(--c0);background:var(--c0)}.b6{fill:var(--c2);background:var(--c2)}
    .b7{fill:var(--c5);background:var(--c5)}.b8{fill:var(--c6);background:var(--c6)}
    .b9,.b10{fill:var(--bad);background:var(--bad)}.b11{fill:var(--old);background:var(--old)}
    .b12{fill:var(--s2);background:var(--s2)}
    """

  /// Adds up the sets whose volumes are all ticked; uses `sets`, `blockBytes` and `exact`.
  static let script = """
    const boxes=[...document.querySelectorAll('#volumes input')];
    const out=document.getElementById('freed');
    const size=n=>{const u=['bytes','KiB','MiB','GiB','TiB','PiB'];let i=0,s=1;
    while(Math.floor(n/s)>=10240&&i<5){s*=1024;i++}return Math.round(n/s)+' '+u[i]};
    const add=()=>{const on=new Set(boxes.filter(b=>b.checked).map(b=>+b.value));let free=0,held=0;
    for(const [blocks,snap,rows] of sets)if(rows.every(r=>on.has(r))){if(snap)held+=blocks;
    else free+=blocks}
    out.textContent=on.size?'Deleting '+(on.size>1?'these '+on.size+' volumes together':
    'this volume')+' frees '+
    (exact?'':'at least ')+size(free*blockBytes)+' ('+free+' blocks).'+(held?
    ' The metadata snapshot holds '+size(held*blockBytes)+' more until it is released.':'')
    :'Tick volumes to see what deleting them together would free.'};
    for(const b of boxes){b.hidden=false;b.addEventListener('change',add)}add();
    """
}
