"""Writes constructs.json: small templates for every construct, and what Jinja2 makes of them as transformers sets it up.

pip install jinja2; python make_cases.py > constructs.json
"""

import datetime
import json

import jinja2
import jinja2.ext
import jinja2.nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime.datetime(2026, 1, 15, 12, 0, 0)


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def environment():
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda format: NOW.strftime(format)
    return env


VARIABLES = {
    "s": "  Hello, wörld\u3000\n", "e": "", "q": "it's \"so\"\\\n", "n": 7, "m": -3, "z": 0, "f": 2.5, "t": True,
    "no": None, "l": [3, 1, 2], "w": ["b", "A", "c", "B"], "el": [], "d": {"b": 1, "A": 2, "items": 3, "c": [1, {"x": None}]},
    "ed": {}, "x": "a-b_c d", "u": "Éß ǆ Σας ΟΔΟΣ 👩‍👩‍👧 \u200b",
    "msgs": [
        {"role": "user", "content": "Hi", "n": {"k": 2}},
        {"role": "assistant", "content": None, "n": {"k": 1}},
        {"role": "user", "content": "Bye"},
    ],
    "lines": "one\n\ntwo\r\nthree\u2028four\n", "html": "<a href='x'>&\"</a>",
    "rich": {"text": "\x00\x1f\x7f\"\\/é\u2028", "real": [1.0, 1e16, 1e-5, 123456789.125, -0.0], "deep": {"e": {}, "l": []}},
}

# Expressions, with ";;" between them.
EXPRESSIONS = r"""
s ;; n ;; f ;; no ;; t ;; l ;; d ;; q ;; u ;; e ;; missing ;; [q, u, missing, 1.0] ;; (1,) ;; () ;; (1, 'a') ;; {} ;; {'a': 1, 2: none, true: 1.5}
1 + 2 * 3 - 4 ;; 2 ** 3 ** 2 ;; -2 ** 2 ;; 7 // 2 ;; -7 // 2 ;; 7 % 3 ;; -7 % 3 ;; 7 % -3 ;; 7 / 2 ;; 6 / 2 ;; 7.5 // 2 ;; -7.5 % 2 ;; 1e3 ;; 1.5e-7 ;; 1_000 ;; 0.1 + 0.2 ;; 1e16 + 0.0 ;; 123456789012345680.0 ;; 1e22 ;; 5 // 0 ;; 5 % 0 ;; 1 / 0 ;; +n ;; -f ;; -t ;; - 'a' ;; +missing
'a' + 'b' ;; 'a' + 1 ;; 1 + 'a' ;; 'a' + none ;; 'a' + missing ;; 'ab' * 2 ;; 2 * 'ab' ;; 'ab' * -1 ;; l + [4] ;; l + (4,) ;; (1, 2) + (3,) ;; [0] * 3 ;; t + 1 ;; t * 3.5 ;; none + 1 ;; 'a' ~ 1 ~ none ~ missing ~ t ~ l
'a' + 'b' ~ 'c' * 2 ;; 1 ~ 2 + 3 ;; 'x' 'y' "z" ;; 'a\tb\n\x41\u00e9\101\q\'\"' ;; "a\u0001b"
1 == 1.0 ;; t == 1 ;; 'a' == 'a' ;; l == [3, 1, 2] ;; l == (3, 1, 2) ;; d == {'b': 1} ;; no == none ;; missing == missing ;; missing == none ;; missing == '' ;; missing != e ;; 1 < 2 < 3 ;; 1 < 3 < 2 ;; 'a' < 'b' ;; 'a' < 1 ;; none < 1 ;; [1, 2] < [1, 3] ;; [1] < [1, 0] ;; missing < 1 ;; 1.5 >= 1 ;; 'B' <= 'a' ;; 3 > 2 > 1 == 1
1 in l ;; 9 in l ;; 9 not in l ;; 'b' in d ;; 'z' in d ;; 'ell' in s ;; '' in s ;; 1 in 'a' ;; none in 'a' ;; 'a' in none ;; 'a' in missing ;; missing in l ;; [1] in d ;; 'role' in msgs[0] ;; not 1 in l ;; 1 in [true]
t and n ;; z and n ;; e or 'x' ;; none or missing ;; not e ;; not not n ;; not 1 == 2 ;; t and not z or e ;; (e or l) and d
'a' if t else 'b' ;; 'a' if z else 'b' ;; 'a' if z ;; 'a' if z else 'b' if z else 'c' ;; ('a' if z) is defined ;; 1 if t else 2 if t else 3
s[0] ;; s[-1] ;; s[99] ;; s['x'] ;; s.x ;; l[0] ;; l[-1] ;; l[9] ;; l[9].x ;; l['0'] ;; d['b'] ;; d.b ;; d['items'] ;; d.items() ;; d['zz'] ;; d.zz ;; d.zz.y ;; d[none] ;; d.c[1].x ;; no.x ;; no['x'] ;; n.x ;; missing.x ;; missing['x'] ;; missing() ;; msgs[0].role ;; msgs[-1]['content'] ;; msgs.0.role ;; d.update ;; d.pop('b') ;; l.append(4) ;; l.x ;; {'upper': 1}.upper
s[2:] ;; s[:4] ;; s[2:-2] ;; s[::-1] ;; s[::2] ;; s[5:2] ;; s[-100:100] ;; l[1:] ;; l[::-1] ;; l[:-1] ;; l[-2:] ;; l[5:] ;; l[::0] ;; (1, 2, 3)[1:] ;; d[1:] ;; no[1:] ;; l['a':] ;; l[none:2] ;; l[2:0:-1] ;; l[99:0:-2] ;; l[-99:2:1] ;; l[::-99] ;; l[:99:9223372036854775807] ;; missing[1:]
s.strip() ;; s.lstrip() ;; s.rstrip() ;; 'xxaxx'.strip('x') ;; 'xyaxy'.lstrip('yx') ;; s.upper() ;; u.lower() ;; u.upper() ;; u.title() ;; u.capitalize() ;; u.swapcase() ;; "it's o'neil 3rd".title() ;; 'HELLO wORLD'.capitalize()
'a,b,,c'.split(',') ;; 'a,b,,c'.split(',', 1) ;; 'a,b,,c'.rsplit(',', 1) ;; ' a  b c '.split() ;; ' a  b c '.split(none, 1) ;; ' a  b c '.rsplit(none, 1) ;; ' a  b c '.split(' ') ;; ''.split() ;; ''.split(',') ;; 'a'.split('') ;; 'aaa'.split('aa') ;; 'a</think>b</think>c'.split('</think>')[-1] ;; 'abc'.split(1) ;; lines.splitlines() ;; lines.splitlines(true) ;; ''.splitlines() ;; 'a\n'.splitlines()
'abc'.startswith('ab') ;; 'abc'.endswith(('x', 'bc')) ;; 'abc'.startswith('b', 1) ;; 'abc'.startswith('c', -1, 99) ;; 'abc'.startswith(1) ;; 'abc'.startswith('') ;; 'aXbX'.replace('X', 'yy') ;; 'aXbX'.replace('X', '', 1) ;; 'ab'.replace('', '-') ;; 'ab'.replace('', '-', 2) ;; 'abc'.replace('z', 'y') ;; 'abcabc'.find('c') ;; 'abcabc'.rfind('c') ;; 'abcabc'.find('c', 3) ;; 'abcabc'.find('z') ;; 'abc'.index('z') ;; 'abcab'.count('ab') ;; 'aaa'.count('aa') ;; 'abc'.count('') ;; 'abc'.find('', 2) ;; 'abc'.rfind('a', -2)
', '.join(w) ;; ','.join('abc') ;; ','.join(l) ;; ','.join([]) ;; ','.join(d) ;; 'a-b-c'.partition('-') ;; 'a-b-c'.rpartition('-') ;; 'abc'.partition('-') ;; 'abc'.rpartition('-') ;; 'abc'.removeprefix('ab') ;; 'abc'.removesuffix('bc') ;; 'a'.ljust(3) ~ '|' ;; 'a'.rjust(3, '.') ;; '-7'.zfill(5) ;; 'abc'.zfill(2)
'12'.isdigit() ;; ''.isdigit() ;; '²'.isdigit() ;; 'ab1'.isalnum() ;; 'ab'.isalpha() ;; ' \n'.isspace() ;; 'aB'.islower() ;; 'AB1'.isupper() ;; 'Ab Cd'.istitle() ;; '½'.isnumeric() ;; 'é'.isascii() ;; '1'.isdecimal()
'{} and {}'.format(1, 'x') ;; '{1}{0}'.format('a', 'b') ;; '{a}'.format(a=l) ;; '{{}}'.format() ;; '{}'.format() ;; '%s-%d' % ('a', 3) ;; '%s' % 'x' ;; '%s' % [1] ;; '%r' % 'x' ;; '%5' % 1 ;; '%d' % 'x' ;; '%.2f' % 3.14159 ;; '%.0f' % 2.5 ;; '100%%' % () ;; '%s %s' % ('a',) ;; '%s' % ('a', 'b') ;; '%(a)s' % {'a': 1} ;; '%x' % 255
d.get('b') ;; d.get('zz') ;; d.get('zz', 'no') ;; d.get() ;; d.keys() ;; d.values() ;; d.keys() | list(d) ;; (d.keys() | list) ;; d.items()[0] ;; d.keys() == d.keys() ;; l.index(1) ;; l.index(9) ;; l.count(3) ;; (1, 2).count(2) ;; d.copy() ;; ed.keys()
s | trim ;; 'xax' | trim('x') ;; n | trim ;; missing | trim ;; no | trim ;; s | trim | length ;; s | length ;; l | count ;; n | length ;; no | length ;; missing | length ;; d | length ;; (l | select) | length
n | string ;; no | string ;; l | string ~ 'x' ;; d | list ;; s | list ;; missing | list ;; no | list ;; n | list ;; x | upper ;; x | title ;; x | capitalize ;; u | lower ;; 'a (b) [c] {d} <e> f-g h_i' | title ;; missing | upper ;; 5 | upper
missing | default('x') ;; missing | default ;; e | default('x') ;; e | default('x', true) ;; no | default('x') ;; no | d('x', boolean=true) ;; d.zz | default(l) ;; missing.x | default('y')
l | join ;; l | join(', ') ;; w | join('-') ;; msgs | join(',', attribute='role') ;; msgs | map(attribute='role') | join(' ') ;; [missing, none, 1.5] | join('|') ;; 'abc' | join('.') ;; n | join
l | first ;; l | last ;; el | first ;; el | last ;; s | first ;; l | min ;; l | max ;; el | max ;; w | min ;; w | max(case_sensitive=true) ;; l | sum ;; msgs[:2] | sum(attribute='n.k') ;; el | sum ;; l | reverse | list ;; 'abc' | reverse ;; l | reverse | last ;; n | reverse
l | sort ;; l | sort(reverse=true) ;; w | sort ;; w | sort(case_sensitive=true) ;; msgs | sort(attribute='role') | map(attribute='role') | list ;; [1, 'a'] | sort ;; msgs[:2] | sort(attribute='n.k') | map(attribute='role') | list ;; d | sort ;; w | unique | list ;; l | unique | list ;; w | unique(case_sensitive=true) | list ;; msgs | unique(attribute='role') | list | length
d | dictsort ;; d | dictsort(true) ;; d | dictsort(by='value') ;; {'b': 2, 'a': 1} | dictsort(by='value', reverse=true) ;; l | dictsort ;; d | items | list ;; missing | items | list ;; d.items() | list
msgs | selectattr('role', 'equalto', 'user') | list | length ;; msgs | selectattr('role') | list | length ;; msgs | rejectattr('content', 'none') | map(attribute='role') | list ;; msgs | selectattr('zz', 'defined') | list ;; msgs | selectattr('n.k', '>', 1) | list ;; msgs | selectattr('role', 'eq', 'user') | first ;; l | select('odd') | list ;; l | reject('odd') | list ;; l | select('in', [1, 2]) | list ;; l | select | list ;; l | map('string') | list ;; w | map('upper') | join ;; msgs | map(attribute='n.k', default=0) | list ;; msgs | map(attribute='zz') | list ;; msgs | map('nofilter') | list ;; el | map('upper') | list ;; msgs | selectattr('role', 'notest') | list ;; (l | select('odd')) is sequence ;; (l | map('string'))[0] ;; ((el | select) and 1) ;; l | select('odd') | last
d | tojson ;; rich | tojson ;; rich | tojson(ensure_ascii=true) ;; rich | tojson(indent=2) ;; d | tojson(indent=4) ;; d | tojson(sort_keys=true) ;; l | tojson(separators=(',', ':')) ;; d | tojson(indent=1, separators=(', ', ' : ')) ;; missing | tojson ;; no | tojson ;; 'é' | tojson ;; (1, 2) | tojson ;; {1: 2, none: 3, true: 4, 1.5: 6} | tojson ;; {} | tojson(indent=2) ;; [] | tojson(indent=2) ;; l | tojson('x', 2) ;; l | tojson(indent='--') ;; d.items() | tojson ;; (l | select) | tojson ;; t | tojson ;; u | tojson(ensure_ascii=true) ;; d.items | tojson
html | escape ;; html | e ;; html | safe ;; (html | safe) + html ;; html + (html | safe) ;; (html | safe) ~ html ;; html | escape | escape ;; html | forceescape ;; (html | safe) is escaped ;; html | safe | trim + '<' ;; 'a' | safe + '<' ;; 'a' | escape + 1
'a\nb\n\nc' | indent ;; 'a\nb\n\nc' | indent(2, true) ;; 'a\nb\n\nc' | indent(2, first=false, blank=true) ;; 'a\nb' | indent('> ') ;; lines | indent(1) ;; '' | indent(2, true) ;; 'a b  c_d-e' | wordcount ;; 'ab' | center(5) ~ '|' ;; 'ab' | center(6) ~ '|' ;; 'aXb' | replace('X', '-') ;; 'aXbX' | replace('X', '-', 1) ;; 5 | replace('5', 6) ;; '%s!' | format('a') ;; '%s %s' | format(1, 2)
'12' | int ;; 'x' | int ;; 'x' | int(5) ;; '1.9' | int ;; 1.9 | int ;; ' 7 ' | int ;; no | int ;; l | int ;; 'ff' | int(0, 16) ;; t | int ;; '1.5' | float ;; 'x' | float ;; 'x' | float(1.5) ;; n | float ;; m | abs ;; -1.5 | abs ;; 'a' | abs ;; 2.5 | round ;; 3.14159 | round(2) ;; 2.1 | round(0, 'ceil') ;; 2.9 | round(method='floor') ;; n | round ;; missing | int
s is string ;; n is string ;; n is number ;; t is number ;; t is integer ;; n is integer ;; f is float ;; f is number ;; t is boolean ;; t is true ;; z is false ;; no is none ;; missing is none ;; missing is undefined ;; missing is defined ;; d.zz is defined ;; missing.x is defined ;; l is iterable ;; s is iterable ;; n is iterable ;; missing is iterable ;; d is mapping ;; l is mapping ;; l is sequence ;; s is sequence ;; d is sequence ;; n is sequence ;; missing is sequence ;; d.items() is sequence ;; d.items is callable ;; n is odd ;; n is even ;; n is divisibleby 7 ;; n is divisibleby(2) ;; 'a' is lower ;; 'A1' is upper ;; '1' is upper ;; s is nosuchtest
n is eq 7 ;; n is equalto(7) ;; n is ne 7 ;; n is lt 8 ;; n is ge 8 ;; n is in [7] ;; n is sameas 7 ;; none is sameas none ;; n is not string ;; not n is string ;; n is string or t ;; n is string and t ;; n is defined and n is odd ;; n is in(l) ;; n is not in l ;; x is string is true ;; n is none
range(3) | list(range(3)) ;; (range(3) | list) ;; range(1, 7, 2) | list ;; range(5, 0, -2) | list ;; range(0) | list ;; range(3)[1] ;; range(3) | length ;; range(0, 10, 0) ;; range('a') ;; range(2, 2) | list ;; 1 in range(3)
namespace(a=1).a ;; namespace(a=1).b ;; namespace({'a': 2}).a ;; namespace(a=1, b='x') ;; dict(a=1, b=2) ;; dict({'a': 1}, b=2) ;; dict([('a', 1)]) ;; raise_exception('stop ' ~ n) ;; raise_exception(l) ;; strftime_now('%d %b %Y') ;; strftime_now('%Y-%m-%d %H:%M:%S %A %B %j %y %p %I') ;; strftime_now('%e|%a|%w|%u|%-d|%%') ;; nosuchfunction(1) ;; s() ;; l() ;; strftime_now()
[1, 2,] ;; {'a': 1,} ;; (1, 2,) ;; [] ;; [[1], [2, [3]]] ;; {'a': {'b': {}}} ;; {'a': 1, 'a': 2} ;; {[1]: 2} ;; {1: 'a', 1.0: 'b', true: 'c'} ;; [1, 2][1] ;; {'a': 1}['a'] ;; {'a': 1}.a ;; 'abc'[1] ;; (1, 2).0 ;; [1, 2, 3][-2:] ;; {'a b': 1}['a ' ~ 'b']
"""

TEMPLATES = [
    "a\n  {% if t %}\n  b\n  {% endif %}\nc\n", "a {%- if t -%}  \n b \n {%- endif -%} \n c", "a\n\n", "a\n", "\n", "", "  {% if t %}x{% endif %}  \n y",
    "x {% if t %} y {% endif %} z", "  {%+ if t %}x{% endif +%}\ny", "{# c #}\na{# c -#}  \n b", "  {# c #}  {# d #}\nx", "a\r\nb\rc\r\n", "{{ 1 }}\n{{ 2 }}\n", "  {{ 1 }}  \n", "{{- 1 -}}  x  {{- 2 -}} \n", "\t{%- if t %}a{% endif %}", "x\n\t {% set a = 1 %} \n{{ a }}",
    "{% raw %}{{ x }}{% if %}{% endraw %}\nz", "a\n  {%- raw -%}  {{ b }}  {%- endraw -%}  c", "{{ '{{' }}{{ '%}' }}{{ '}}' }}{# }} #}", "{{ {'a': {'b': 1}} }}", "{{ {'a': {'b': 1}}['a']['b']}}", "{ {x} } {% if t %}{%% x{% endif %}", "{{ '#}' }}{#- {{ x }} -#} ",
    "{% for i in l %}{{ i }}{% endfor %}", "{% for i in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }}|{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}", "{% for c in x %}{{ c }}.{% endfor %}", "{% for i in missing %}x{% else %}none{% endfor %}", "{% for i in no %}x{% endfor %}", "{% for i in n %}x{% endfor %}", "{% for i in l if i > 1 %}{{ i }}{{ loop.length }}{% else %}e{% endfor %}", "{% for i in l if i > 9 %}{{ i }}{% else %}e{{ i }}{% endfor %}",
    "{% for i in l %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}", "{% for i in l %}{% if i == 1 %}{% break %}{% endif %}{{ i }}{% else %}E{% endfor %}", "{% for i in l %}{% for j in l %}{% if j == 1 %}{% break %}{% endif %}{{ i }}{{ j }}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}",
    "{% for a, b in [(1, 2), [3, 4], 'xy'] %}{{ a }}{{ b }}{% endfor %}", "{% for a, b in [(1,)] %}{{ a }}{% endfor %}", "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% for i in 1, 2, 3 %}{{ i }}{% endfor %}", "{% for i in l %}{{ loop.cycle('a', 'b') }}{{ loop.changed(i > 1) }}{% endfor %}", "{% for i in d.items() | list %}{{ i[0] }}{% endfor %}",
    "{% for i in l %}{% set x = i %}{% endfor %}{{ x }}", "{% for i in l %}{{ y }}{% set y = i %}{{ y }}{% endfor %}{{ y }}", "{% if t %}{% set y = 1 %}{% endif %}{{ y }}", "{% set ns = namespace(c=0) %}{% for i in l %}{% set ns.c = ns.c + i %}{% endfor %}{{ ns.c }}", "{% set ns = namespace() %}{% set ns.a = 1 %}{{ ns.a }}{{ ns.b }}{{ ns }}", "{% set d.x = 1 %}", "{% set nothere.x = 1 %}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a = 1, 2 %}{{ a }}", "{% set a, b = 1 %}",
    "{% set a %}x{{ n }}y{% endset %}{{ a }}{{ a | length }}", "{% set a | upper | trim %} x {% endset %}[{{ a }}]", "{% set a = b = 1 %}", "{% for i in l %}{% for j in l %}{% set x = j %}{% endfor %}{{ x }}{% endfor %}", "{% for m in msgs %}{% set loop_x = loop.index %}{% for k in m %}{{ loop.index }}/{{ loop_x }} {% endfor %}{% endfor %}{{ loop }}",
    "{% if z %}a{% elif e %}b{% elif n %}c{% else %}d{% endif %}", "{% if missing %}a{% else %}b{% endif %}", "{% if missing.x %}a{% endif %}", "{% if l and d and s %}a{% endif %}{% if ed or el or e or z or no %}b{% endif %}", "{% if n == 7 and not z %}y{% endif %}",
    "{% macro f(a, b=2, c=a) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ f(1) }}|{{ f(1, 5) }}|{{ f(1, c=3) }}|{{ f(b=1, a=0) }}|{{ f() }}", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(b=2) }}", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, a=2) }}", "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(*[1]) }}{{ f(**{'a': 2}) }}", "{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}",
    "{% macro f() %}{{ y }}{% endmacro %}{% set y = 5 %}{{ f() }}", "{% macro f() %}{% set y = 6 %}{{ y }}{% endmacro %}{% set y = 5 %}{{ f() }}{{ y }}", "{% macro f(namespace) %}{{ namespace }}{% endmacro %}{{ f(1) }}", "{% macro f() %}a{{ caller() }}b{% endmacro %}{% call f() %}x{{ n }}{% endcall %}", "{% macro f() %}{{ caller(1, 2) }}{% endmacro %}{% call(a, b) f() %}{{ a }}-{{ b }}{% endcall %}", "{% macro f(x) %} {{ x }} {% endmacro %}[{{ f('a') | trim }}]{{ f('b') | length }}{{ f is callable }}", "{% macro f() %}{% endmacro %}{{ f() is string }}{{ f() == '' }}", "{% for i in l %}{% macro g() %}{{ i }}{% endmacro %}{{ g() }}{% endfor %}{{ g is defined }}",
    "{% filter upper %}a{{ x }}{% endfilter %}", "{% filter trim | upper %}  a  {% endfilter %}", "{% filter indent(2) %}a\nb{% endfilter %}", "{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% with %}{% set a = 1 %}{{ a }}{% endwith %}{{ a }}", "{% generation %}a{{ n }}{% endgeneration %}\nb", "{% generation %}{% set y = 1 %}{{ y }}{% endgeneration %}{{ y }}",
    "{% if t %}{{ raise_exception('No ' + x) }}{% endif %}", "{{ raise_exception() }}", "{% for m in msgs %}{% if m.content is none %}{{ raise_exception('message ' ~ loop.index ~ ' is empty') }}{% endif %}{% endfor %}",
    "{{ 1", "{{ }}", "{% if %}", "{% if t %}", "{% endif %}", "{% for i l %}{% endfor %}", "{% nosuch %}", "{{ 'a }}", "{# x", "{{ a.}}", "{{ [1, }}", "{{ (1 }}", "{{ 1 2 }}", "{{ a b }}", "{{ ) }}", "{{ a | }}", "{{ a is }}", "{% set = 1 %}", "{% set true = 1 %}", "{% macro f(a=1, b) %}{% endmacro %}", "{{ f(a=1, 2) }}", "{{ {1} }}", "{{ @ }}", "{{ 'a' ! }}", "{% for i in l %}{% endif %}", "{% if t %}{% else %}{% else %}{% endif %}", "{% raw %}x", "{% break", "{{ a[1:2:3:4] }}", "{{ a[] }}", "{{ \"\\", "{{ '\\x4' }}", "{% include 'x' %}", "{% extends 'x' %}",
    "{{ msgs[0]['content'] + '\\n' }}{{ msgs[1].content }}", "{{ msgs[1]['content'] + 'x' }}", "{{ msgs[2].n.k }}", "{{ [1, 2] | map('string') | join('+') ~ '!' }}", "{{ l | map('string') | list + ['x'] }}", "{{ a if t else b }}{{ s | trim if t }}", "{% set g = l | select('odd') %}{{ g | list }}{{ g | list }}", "{% set g = d.items() %}{{ g | list | length }}{{ g | list | length }}", "{{ not t }}{{ not z == 0 }}{{ - n + 1 }}{{ -n | abs }}{{ 2 * -n }}", "{{ n is odd and f is float }}{{ (n | string) in '17' }}{{ n | string ~ 'x' }}", "{{ 'a' ~ 'b' | upper }}{{ ('a' ~ 'b') | upper }}{{ 'a' + 'b' | upper + 'c' }}",
    "{{ msgs | tojson(indent=2) }}", "{{ d.c | tojson }}{{ d | tojson | safe }}", "{%- for m in msgs %}\n    {{- '<' ~ m.role ~ '>' }}\n    {%- if not loop.last %},{% endif %}\n{%- endfor %}\n", "{% for m in msgs[::-1] %}{% set index = (msgs | length - 1) - loop.index0 %}{{ index }}{{ m.role }}{% endfor %}", "{{ '' if not msgs else msgs[0].role.upper() + ':' }}", "{{ 1, 2 }}{{ (1) }}", "{{ l[:1] + l[1:] == l }}", "{%if t%}x{%endif%}{{n}}{%-if t-%} y {%-endif-%}", "{{ x . upper ( ) }}{{ l [ 0 ] }}",
    "{% set content = 'a<think>b</think>c' %}{% if '</think>' in content %}{{ content.split('</think>')[-1].lstrip('\\n') }}{{ content.split('</think>')[0].rstrip('\\n').split('<think>')[-1] }}{% endif %}",
    "{% if strftime_now is defined %}{{ strftime_now('%d %B %Y') }}{% else %}no{% endif %}", "{% if not date_string is defined %}{% set date_string = '26 Jul 2024' %}{% endif %}{{ date_string }}", "{% set tools = tools or [] %}{{ tools }}", "{% set l = l[1:] %}{{ l }}", "{%- set n = n + 1 -%}{{ n }}", "{% set _ = l %}{{ _ }}", "{{ loop }}", "{{ True }}{{ False }}{{ None }}{{ true }}",
]


def render(env, template):
    try:
        return env.from_string(template).render(**VARIABLES)
    except Exception as error:
        raised = type(error) is jinja2.exceptions.TemplateError
        return {"error": str(error), "kind": "raise_exception" if raised else type(error).__name__}


def main():
    env = environment()
    expressions = [part for line in EXPRESSIONS.strip().splitlines() for part in line.split(" ;; ")]
    cases = [{"template": "{{ %s }}" % e, "expected": render(env, "{{ %s }}" % e)} for e in expressions]
    cases += [{"template": t, "expected": render(env, t)} for t in TEMPLATES]
    print(json.dumps({"variables": VARIABLES, "cases": cases}, ensure_ascii=False, indent=0))


if __name__ == "__main__":
    main()
