export const style = `
:host{all:initial;position:fixed;right:12px;bottom:12px;z-index:2147483000;color-scheme:light dark;
--paper:light-dark(#fff,#17191d);--ink:light-dark(#1c2024,#e6e8eb);--faint:light-dark(#5d6670,#9aa4af);
--line:light-dark(#d9dee3,#33383f);--well:light-dark(#f4f6f8,#1f2329);--good:light-dark(#12703f,#5fd39a);
--fair:light-dark(#8a5a00,#f0bd5a);--bad:light-dark(#b3261e,#ff8a80);--focus:light-dark(#0b57d0,#8ab4f8);
font:13px/1.45 system-ui,sans-serif;color:var(--ink)}
*{box-sizing:border-box}
button{font:inherit;color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:6px;padding:3px 10px;cursor:pointer}
button:hover{background:var(--well)}button:disabled{color:var(--faint);cursor:default}
:focus-visible{outline:2px solid var(--focus);outline-offset:1px}
.pill{display:flex;gap:7px;align-items:center;border-radius:99px;padding:5px 13px;margin-left:auto;box-shadow:0 1px 6px #0003}
.sign{font-weight:700;width:1em;text-align:center}
.good{color:var(--good)}.fair{color:var(--fair)}.bad{color:var(--bad)}
section{width:min(420px,calc(100vw - 24px));max-height:min(620px,calc(100vh - 72px));overflow:auto;overscroll-behavior:contain;
background:var(--paper);border:1px solid var(--line);border-radius:12px;box-shadow:0 6px 28px #0004;margin-bottom:8px}
section[hidden]{display:none}
header{position:sticky;top:0;background:var(--paper);border-bottom:1px solid var(--line);padding:12px 14px 10px;z-index:1}
h2{font:inherit;font-weight:650;margin:0;display:flex;gap:6px;align-items:baseline}
h2 small{margin-left:auto}
small,.cause,dt{color:var(--faint);font-size:12px;font-weight:400}
.cause{margin:2px 0 0;overflow-wrap:anywhere}
.cause:empty{display:none}
nav{display:flex;gap:6px;margin-top:9px}
dl{display:grid;grid-template-columns:auto 1fr;gap:4px 14px;margin:0;padding:10px 14px}
dd{margin:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
h3{font:inherit;font-weight:650;margin:0;padding:9px 14px 5px;border-top:1px solid var(--line);display:flex;align-items:baseline}
h3 small{margin-left:6px}
ol{list-style:none;margin:0;padding:0 8px 8px}
summary,.row{display:flex;gap:8px;padding:2px 6px;border-radius:6px;white-space:nowrap}
summary::before{content:'▸';color:var(--faint);width:.8em}
details[open]>summary::before{content:'▾'}
summary::-webkit-details-marker{display:none}
summary>:nth-child(3),.row>:nth-child(3){overflow:hidden;text-overflow:ellipsis;flex:1;color:var(--faint)}
time,.code{color:var(--faint);font-variant-numeric:tabular-nums}
pre{margin:2px 6px 6px 1.6em;padding:7px 9px;background:var(--well);border-radius:6px;font:12px/1.45 ui-monospace,monospace;
white-space:pre-wrap;overflow-wrap:anywhere;max-height:220px;overflow:auto}
`
