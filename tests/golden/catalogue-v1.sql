-- A catalogue of version 1, as it was written then: succeeded, superseded and aborted runs.
CREATE TABLE artifacts (
    run_id       TEXT NOT NULL REFERENCES runs (run_id),
    kind         TEXT NOT NULL,
    path         TEXT NOT NULL,
    sha256       TEXT NOT NULL,
    bytes        INTEGER NOT NULL,
    n_rows       INTEGER,
    -- Types that differ between pipelines, so that a query need not open the file to know them.
    row_id_type  TEXT CHECK (row_id_type IN ('int64', 'string')),
    label_type   TEXT CHECK (label_type IN ('double', 'string')),
    PRIMARY KEY (run_id, path)
) STRICT;
INSERT INTO "artifacts" VALUES('01a20203-058c-7134-823a-1605aee78c5e','predictions','predictions/pipeline=credit/run_date=2026-11-20/01a20203-058c-7134-823a-1605aee78c5e.parquet','38c3f1c935514b36daeb59ba65ed3f30281bee843be34729693238db98229c50',2005,60,'int64','string');
INSERT INTO "artifacts" VALUES('01a20203-058c-7134-823a-1605aee78c5e','explanations','explanations/pipeline=credit/run_date=2026-11-20/01a20203-058c-7134-823a-1605aee78c5e.parquet','dac5a579791bbc162905681030bfe3ac5d3b905b0233dc95d6416dfebf756ab0',3892,300,'int64',NULL);
INSERT INTO "artifacts" VALUES('01a20203-058c-7134-823a-1605aee78c5e','audit','reports/pipeline=credit/01a20203-058c-7134-823a-1605aee78c5e/run.json','ae295c38b44f977f5df6e9ce01853b8373bd4171fb60d831b5279bf1c3ba99ff',158322,NULL,NULL,NULL);
INSERT INTO "artifacts" VALUES('01a20203-058c-7134-823a-1605aee78c5e','report:audit','reports/pipeline=credit/01a20203-058c-7134-823a-1605aee78c5e/audit.html','6e87a5334c55abf3f61ff9f5e4eb381f1b5c6b3ec2f0249ad1da98e70a5f584d',118781,NULL,NULL,NULL);
INSERT INTO "artifacts" VALUES('01a20203-05d7-731d-913b-d3ed724971e8','predictions','predictions/pipeline=credit/run_date=2026-11-21/01a20203-05d7-731d-913b-d3ed724971e8.parquet','1903d1e459b31835e436f00df10b1dbedcde056583344b2320adb258ee9c36d3',2005,60,'int64','string');
INSERT INTO "artifacts" VALUES('01a20203-05d7-731d-913b-d3ed724971e8','explanations','explanations/pipeline=credit/run_date=2026-11-21/01a20203-05d7-731d-913b-d3ed724971e8.parquet','325059c37343fb31ce53c660b2edba9b39a99f218381eeedf39fd193d5d2942a',3892,300,'int64',NULL);
INSERT INTO "artifacts" VALUES('01a20203-05d7-731d-913b-d3ed724971e8','audit','reports/pipeline=credit/01a20203-05d7-731d-913b-d3ed724971e8/run.json','c48e8254088b8a07a33f4916d57e5bf74b6454ceaf6ec033d401263971296774',158366,NULL,NULL,NULL);
INSERT INTO "artifacts" VALUES('01a20203-05d7-731d-913b-d3ed724971e8','report:audit','reports/pipeline=credit/01a20203-05d7-731d-913b-d3ed724971e8/audit.html','fdc6ebfe7b14d45988f5a7d8bd9abde59f53a50b66fcd5083b241635a2b8855b',118781,NULL,NULL,NULL);
INSERT INTO "artifacts" VALUES('01a20203-0639-77b5-bbe8-5be6cb5b3114','predictions','predictions/pipeline=credit/run_date=2026-11-21/01a20203-0639-77b5-bbe8-5be6cb5b3114.parquet','de79b7f1c8c7632c70d0edae440e22bd41e04d4ad01846fa1a8b84a9304e220b',2005,60,'int64','string');
INSERT INTO "artifacts" VALUES('01a20203-0639-77b5-bbe8-5be6cb5b3114','explanations','explanations/pipeline=credit/run_date=2026-11-21/01a20203-0639-77b5-bbe8-5be6cb5b3114.parquet','05845e56d4392f5b83bfb01ac233ec1d90507c0f87c1196b5147f129558dae17',3892,300,'int64',NULL);
INSERT INTO "artifacts" VALUES('01a20203-0639-77b5-bbe8-5be6cb5b3114','audit','reports/pipeline=credit/01a20203-0639-77b5-bbe8-5be6cb5b3114/run.json','1efadba1718717ec6e56607f431bffe644a55e7438293401fb6ce13a44994640',158336,NULL,NULL,NULL);
INSERT INTO "artifacts" VALUES('01a20203-0639-77b5-bbe8-5be6cb5b3114','report:audit','reports/pipeline=credit/01a20203-0639-77b5-bbe8-5be6cb5b3114/audit.html','684ee3e647c5c69d9215ab374fc3311f58c6f3cdd1571a624c70c7a4f2903d1c',118781,NULL,NULL,NULL);
INSERT INTO "artifacts" VALUES('01a20203-3994-77ae-a365-3e0041ae75f7','predictions','predictions/pipeline=credit/run_date=2026-11-22/01a20203-3994-77ae-a365-3e0041ae75f7.parquet','caf9c3b3118fc20fbda07ecd8774d894256b7130a09d3c868e1d4fe2a9ac44d2',2005,60,'int64','string');
INSERT INTO "artifacts" VALUES('01a20203-3994-77ae-a365-3e0041ae75f7','explanations','explanations/pipeline=credit/run_date=2026-11-22/01a20203-3994-77ae-a365-3e0041ae75f7.parquet','fdedaaf3b394192f732f5bb0bee5bd695a5cc19bbe3b1518cbc79c87a08cc17e',3892,300,'int64',NULL);
INSERT INTO "artifacts" VALUES('01a20203-3994-77ae-a365-3e0041ae75f7','audit','reports/pipeline=credit/01a20203-3994-77ae-a365-3e0041ae75f7/run.json','512a35055952a08e9f54d223ed100ffccb9ba4abb17ce78f6108c3d80ef35c47',158356,NULL,NULL,NULL);
INSERT INTO "artifacts" VALUES('01a20203-3994-77ae-a365-3e0041ae75f7','report:audit','reports/pipeline=credit/01a20203-3994-77ae-a365-3e0041ae75f7/audit.html','70001d4c1e9a6bf0a2aff8355740b9eaaf7c53bfb252ad3c6a35835c48695786',118781,NULL,NULL,NULL);
INSERT INTO "artifacts" VALUES('01a20203-cd1b-71b7-be2e-3096af8178e5','predictions','predictions/pipeline=credit/run_date=2026-11-23/01a20203-cd1b-71b7-be2e-3096af8178e5.parquet','3972781099ed893a7e8b93683487dc1d631b79d188e672300148df0b9b488115',2005,60,'int64','string');
INSERT INTO "artifacts" VALUES('01a20203-cd1b-71b7-be2e-3096af8178e5','explanations','explanations/pipeline=credit/run_date=2026-11-23/01a20203-cd1b-71b7-be2e-3096af8178e5.parquet','30a851b02ab8c11b1604b778c52c5ce397e7bdb5d85651bd2a1a8386a6b73a2d',3892,300,'int64',NULL);
INSERT INTO "artifacts" VALUES('01a20203-cd1b-71b7-be2e-3096af8178e5','audit','reports/pipeline=credit/01a20203-cd1b-71b7-be2e-3096af8178e5/run.json','71207eaf38f49f8c372e86f900fe7923d1ef3b06f85207f4b70ceec845ff4697',158355,NULL,NULL,NULL);
INSERT INTO "artifacts" VALUES('01a20203-cd1b-71b7-be2e-3096af8178e5','report:audit','reports/pipeline=credit/01a20203-cd1b-71b7-be2e-3096af8178e5/audit.html','25defc50e3e7e2182698be81be89378b107034293956445722795035510cb5cf',118781,NULL,NULL,NULL);
INSERT INTO "artifacts" VALUES('01a20203-ff3e-75c7-afba-09441cebeb69','predictions','predictions/pipeline=credit/run_date=2026-11-25/01a20203-ff3e-75c7-afba-09441cebeb69.parquet','a49121e8477565105ce6209881c04a09a3feeebca992cd29b487d2109ea4fe95',2005,60,'int64','string');
INSERT INTO "artifacts" VALUES('01a20203-ff3e-75c7-afba-09441cebeb69','explanations','explanations/pipeline=credit/run_date=2026-11-25/01a20203-ff3e-75c7-afba-09441cebeb69.parquet','85c83ad7befd6d8f9b7b83de65a3fedd7413b8f9f8d5793d1dc79a0ce4ffac51',3892,300,'int64',NULL);
INSERT INTO "artifacts" VALUES('01a20203-ff3e-75c7-afba-09441cebeb69','audit','reports/pipeline=credit/01a20203-ff3e-75c7-afba-09441cebeb69/run.json','fda3e23c4dc838c63cd5e1002e10cb562540f8a8e0177748ff67191d1c75b870',158336,NULL,NULL,NULL);
INSERT INTO "artifacts" VALUES('01a20203-ff3e-75c7-afba-09441cebeb69','report:audit','reports/pipeline=credit/01a20203-ff3e-75c7-afba-09441cebeb69/audit.html','0fa0ea2eb2ee961fb711c642127da875288e9edb4119bf5c6755434e9b191d79',118781,NULL,NULL,NULL);
CREATE TABLE curves (
    run_id      TEXT NOT NULL REFERENCES runs (run_id),
    kind        TEXT NOT NULL,
    feature     TEXT NOT NULL,
    group_value TEXT NOT NULL,
    output      TEXT NOT NULL,
    x           REAL NOT NULL,
    y           REAL NOT NULL,
    n           INTEGER NOT NULL,
    ci_low      REAL,
    ci_high     REAL
) STRICT;
CREATE TABLE datasets (
    sha256  TEXT PRIMARY KEY,
    run_id  TEXT NOT NULL REFERENCES runs (run_id),
    path    TEXT NOT NULL,
    rows    INTEGER NOT NULL,
    columns INTEGER NOT NULL,
    -- Columns that the model reads, a JSON list of {"name", "kind"}.
    schema  TEXT NOT NULL
) STRICT;
INSERT INTO "datasets" VALUES('a7fe75d8802d934362573418ba6aa80b08dfb9950f10fa24ab84886cf668ad67','01a20203-058c-7134-823a-1605aee78c5e','people.csv',60,5,'[{"kind":"number","name":"income"},{"kind":"number","name":"children"},{"kind":"number","name":"debt"},{"kind":"number","name":"owner"},{"kind":"number","name":"age"}]');
CREATE TABLE drift (
    run_id          TEXT NOT NULL REFERENCES runs (run_id),
    subject         TEXT NOT NULL,
    feature         TEXT NOT NULL,
    measure         TEXT NOT NULL,
    value           REAL NOT NULL,
    baseline_run_id TEXT NOT NULL
) STRICT;
CREATE TABLE gates (
    run_id         TEXT NOT NULL REFERENCES runs (run_id),
    gate           TEXT NOT NULL,
    metric         TEXT NOT NULL,
    attribute      TEXT NOT NULL,
    observed       REAL,
    "limit"        REAL NOT NULL,
    baseline_value REAL,
    decision       TEXT NOT NULL CHECK (decision IN ('pass', 'fail', 'insufficient')),
    severity       TEXT NOT NULL,
    reason         TEXT NOT NULL,
    ci_low         REAL,
    ci_high        REAL,
    n              INTEGER NOT NULL
) STRICT;
INSERT INTO "gates" VALUES('01a20203-058c-7134-823a-1605aee78c5e','demographic_parity_ratio over sex ≥ 0.1','demographic_parity_ratio','sex',9.44444444444444419772e-01,0.1,NULL,'insufficient','fail','Male against Female: 20 rows of evidence, 30 are required',6.78414045983086633206e-01,1.0,20);
INSERT INTO "gates" VALUES('01a20203-05d7-731d-913b-d3ed724971e8','demographic_parity_ratio over sex ≥ 0.1','demographic_parity_ratio','sex',9.44444444444444419772e-01,0.1,NULL,'insufficient','fail','Male against Female: 20 rows of evidence, 30 are required',6.78414045983086633206e-01,1.0,20);
INSERT INTO "gates" VALUES('01a20203-0639-77b5-bbe8-5be6cb5b3114','demographic_parity_ratio over sex ≥ 0.1','demographic_parity_ratio','sex',9.44444444444444419772e-01,0.1,NULL,'insufficient','fail','Male against Female: 20 rows of evidence, 30 are required',6.78414045983086633206e-01,1.0,20);
INSERT INTO "gates" VALUES('01a20203-3994-77ae-a365-3e0041ae75f7','demographic_parity_ratio over sex ≥ 0.1','demographic_parity_ratio','sex',9.44444444444444419772e-01,0.1,NULL,'insufficient','fail','Male against Female: 20 rows of evidence, 30 are required',6.78414045983086633206e-01,1.0,20);
INSERT INTO "gates" VALUES('01a20203-cd1b-71b7-be2e-3096af8178e5','demographic_parity_ratio over sex ≥ 0.1','demographic_parity_ratio','sex',9.44444444444444419772e-01,0.1,NULL,'insufficient','fail','Male against Female: 20 rows of evidence, 30 are required',6.78414045983086633206e-01,1.0,20);
INSERT INTO "gates" VALUES('01a20203-ff3e-75c7-afba-09441cebeb69','demographic_parity_ratio over sex ≥ 0.1','demographic_parity_ratio','sex',9.44444444444444419772e-01,0.1,NULL,'insufficient','fail','Male against Female: 20 rows of evidence, 30 are required',6.78414045983086633206e-01,1.0,20);
CREATE TABLE group_attributions (
    run_id       TEXT NOT NULL REFERENCES runs (run_id),
    attribute    TEXT NOT NULL,
    group_value  TEXT NOT NULL,
    feature      TEXT NOT NULL,
    output       TEXT NOT NULL,
    n            INTEGER NOT NULL,
    mean         REAL NOT NULL,
    mean_abs     REAL NOT NULL,
    std          REAL NOT NULL,
    q05          REAL NOT NULL,
    q25          REAL NOT NULL,
    q50          REAL NOT NULL,
    q75          REAL NOT NULL,
    q95          REAL NOT NULL,
    mean_ci_low  REAL NOT NULL,
    mean_ci_high REAL NOT NULL
) STRICT;
INSERT INTO "group_attributions" VALUES('01a20203-058c-7134-823a-1605aee78c5e','','','income','yes',60,-3.03692256527673e-16,2.27629692654237469895e+00,2.56538700768082295056e+00,-3.34612463320872421945e+00,-2.54440054562736683863e+00,1.88466712804317232388e-01,1.75299815870077679846e+00,4.06269076031314213537e+00,-6.68302322840359175337e-01,6.68302322840358509203e-01);
INSERT INTO "group_attributions" VALUES('01a20203-058c-7134-823a-1605aee78c5e','sex','Female','income','yes',20,-0.161683445330483,2.30370628994223425323e+00,2.58902421970642260262e+00,-3.16854612822927350634e+00,-2.65789034086475206564e+00,-0.096799180113885,1.58016682964161092606e+00,4.23373078807768088438e+00,-1.40486206439922,1.08149517373825410082e+00);
INSERT INTO "group_attributions" VALUES('01a20203-058c-7134-823a-1605aee78c5e','sex','Male','income','yes',40,8.08417226652410475518e-02,2.26259224484244558794e+00,2.54964436564840779553e+00,-3.38654404410503850897e+00,-2.4729835129980841657e+00,1.97279850189645222791e-01,1.75299815870077679846e+00,4.04545833804489340934e+00,-7.44961986005535092836e-01,9.06645431336017160184e-01);
INSERT INTO "group_attributions" VALUES('01a20203-058c-7134-823a-1605aee78c5e','','','children','yes',60,-2.52113145175295962335e-17,7.45956986941412325542e-01,8.5871894771202661456e-01,-1.45320527026488,-6.16624515964536379364e-01,3.61446127982829490399e-01,6.14853637362830274248e-01,1.30489510069428260585e+00,-2.23702648257263186915e-01,2.23702648257263131403e-01);
INSERT INTO "group_attributions" VALUES('01a20203-058c-7134-823a-1605aee78c5e','sex','Female','children','yes',20,2.76925631925405597855e-02,7.54175297790093845939e-01,8.66402051442612175513e-01,-1.43520622116573415283e+00,-5.82299177920746258152e-01,3.60986639133382858357e-01,6.2382006266594136612e-01,1.25927936212804869597e+00,-3.88330005338271555537e-01,4.43715131723352640413e-01);
INSERT INTO "group_attributions" VALUES('01a20203-058c-7134-823a-1605aee78c5e','sex','Male','children','yes',40,-1.38462815962703163219e-02,7.41847831517071565343e-01,8.54515026682013623116e-01,-1.45766112313720652693e+00,-6.69351419248010115481e-01,3.61446127982829490399e-01,5.5074520306928531621e-01,1.30489510069428260585e+00,-2.90614950849268249832e-01,2.62922387656727596372e-01);
INSERT INTO "group_attributions" VALUES('01a20203-058c-7134-823a-1605aee78c5e','','','debt','yes',60,-4.89481140804789039734e-17,3.22974354202721081197e-01,4.26446479695847036062e-01,-8.01546444478962061275e-01,-2.83829681158790203543e-01,0.061800714657228,2.9133334869725824312e-01,0.366872387056549,-1.11092467567094968505e-01,1.11092467567094857483e-01);
INSERT INTO "group_attributions" VALUES('01a20203-058c-7134-823a-1605aee78c5e','sex','Female','debt','yes',20,-3.10359547476077857197e-02,3.11870043240746297463e-01,3.90443087170646851991e-01,-8.01546444478962061275e-01,-2.14357103073659072123e-01,6.83598651550709895952e-02,2.52486954611312153229e-01,3.70075136587127262455e-01,-2.18516046374089029091e-01,1.56444136878873457652e-01);
INSERT INTO "group_attributions" VALUES('01a20203-058c-7134-823a-1605aee78c5e','sex','Male','debt','yes',40,1.55179773738038182667e-02,3.2852650968370855633e-01,4.42537653813182718653e-01,-7.54339822057324083104e-01,-2.83829681158790203543e-01,0.061800714657228,2.92400881937808332367e-01,0.366872387056549,-1.27815438324919261603e-01,1.58851393072526880789e-01);
INSERT INTO "group_attributions" VALUES('01a20203-058c-7134-823a-1605aee78c5e','','','owner','yes',60,1.90819582357448795807e-18,5.73871234521545689477e-02,8.62569789951375398562e-02,-1.62621820602152050705e-01,-1.58913881828387573702e-02,1.845654162267843304e-02,0.042652706325882,7.42621919461008139773e-02,-2.24705821192084792548e-02,2.24705821192084861936e-02);
INSERT INTO "group_attributions" VALUES('01a20203-058c-7134-823a-1605aee78c5e','sex','Female','owner','yes',20,5.56758176535371144579e-04,5.44406285405986817282e-02,8.28880515046123284017e-02,-1.67622466567489802891e-01,-1.58913881828387573702e-02,2.12573004472586812862e-02,4.71445562007526408621e-02,7.42621919461008694884e-02,-3.92438171222491416489e-02,4.03573334753198897928e-02);
INSERT INTO "group_attributions" VALUES('01a20203-058c-7134-823a-1605aee78c5e','sex','Male','owner','yes',40,-2.78379088267682699153e-04,5.88603709079325160269e-02,0.0878917095759629,-1.62621820602152050705e-01,-2.16184517161713690702e-02,1.845654162267843304e-02,3.65992091544386360935e-02,7.62156546115873717583e-02,-0.028745604049968,2.8188845873432632344e-02);
INSERT INTO "group_attributions" VALUES('01a20203-058c-7134-823a-1605aee78c5e','','','age','yes',60,6.0137080500529314659e-18,5.73809692883169852883e-01,0.63982833729834,-1.00516557895843594572e+00,-5.42628591288828454608e-01,1.4081457330256749727e-01,5.43640205523439057344e-01,8.75137257995795114773e-01,-1.66680022450930581667e-01,1.66680022450930581667e-01);
INSERT INTO "group_attributions" VALUES('01a20203-058c-7134-823a-1605aee78c5e','sex','Female','age','yes',20,-1.21527702250572855469e-01,5.77688840842278783505e-01,6.54388551143885499605e-01,-1.1887045472602286722e+00,-5.71177256129319799171e-01,-1.92061797178757848181e-01,4.40704993484865137354e-01,8.75137257995795225795e-01,-4.3574718662360617527e-01,1.92691782122460464332e-01);
INSERT INTO "group_attributions" VALUES('01a20203-058c-7134-823a-1605aee78c5e','sex','Male','age','yes',40,6.07638511252864416123e-02,5.71870118903615387573e-01,6.23603661847902168702e-01,-9.21278935709253676833e-01,-5.10222578643798385655e-01,2.47235003515379470062e-01,5.78730139316434688545e-01,8.73767031894353118914e-01,-1.41214990956758046358e-01,2.62742693207330901827e-01);
CREATE TABLE group_counts (
    run_id      TEXT NOT NULL REFERENCES runs (run_id),
    attribute   TEXT NOT NULL,
    group_value TEXT NOT NULL,
    stratum     TEXT NOT NULL,
    output      TEXT NOT NULL,
    n           INTEGER NOT NULL,
    weight      REAL NOT NULL,
    tp          REAL,
    fp          REAL,
    tn          REAL,
    fn          REAL
) STRICT;
INSERT INTO "group_counts" VALUES('01a20203-058c-7134-823a-1605aee78c5e','','','','yes',60,60.0,14.0,12.0,22.0,12.0);
INSERT INTO "group_counts" VALUES('01a20203-058c-7134-823a-1605aee78c5e','sex','Female','','yes',20,20.0,7.0,2.0,9.0,2.0);
INSERT INTO "group_counts" VALUES('01a20203-058c-7134-823a-1605aee78c5e','sex','Male','','yes',40,40.0,7.0,10.0,13.0,10.0);
CREATE TABLE importance (
    run_id  TEXT NOT NULL REFERENCES runs (run_id),
    method  TEXT NOT NULL,
    metric  TEXT NOT NULL,
    feature TEXT NOT NULL,
    output  TEXT NOT NULL,
    value   REAL NOT NULL,
    std_err REAL,
    ci_low  REAL,
    ci_high REAL,
    rank    INTEGER NOT NULL
) STRICT;
INSERT INTO "importance" VALUES('01a20203-058c-7134-823a-1605aee78c5e','attribution','mean_abs_attribution','income','yes',2.27629692654237469895e+00,1.5402414522313395695e-01,1.96809532383695251489e+00,2.58449852924779710505e+00,1);
INSERT INTO "importance" VALUES('01a20203-058c-7134-823a-1605aee78c5e','attribution','mean_abs_attribution','children','yes',7.45956986941412325542e-01,5.53794927462277278285e-02,6.3514287791536128136e-01,8.56771095967463369724e-01,2);
INSERT INTO "importance" VALUES('01a20203-058c-7134-823a-1605aee78c5e','attribution','mean_abs_attribution','age','yes',5.73809692883169852883e-01,3.68512211612119083836e-02,5.00070569662691810641e-01,6.47548816103647895126e-01,3);
INSERT INTO "importance" VALUES('01a20203-058c-7134-823a-1605aee78c5e','attribution','mean_abs_attribution','debt','yes',3.22974354202721081197e-01,3.62533847799809127998e-02,0.250431498817939,3.95517209587503137946e-01,4);
INSERT INTO "importance" VALUES('01a20203-058c-7134-823a-1605aee78c5e','attribution','mean_abs_attribution','owner','yes',5.73871234521545689477e-02,0.00838378629649725,4.06112058219873506281e-02,7.41630410823217872673e-02,5);
CREATE TABLE layers (
    run_id        TEXT NOT NULL REFERENCES runs (run_id),
    layer         TEXT NOT NULL,
    op            TEXT NOT NULL,
    shape         TEXT NOT NULL,
    parameters    INTEGER NOT NULL,
    attribute     TEXT NOT NULL,
    group_value   TEXT NOT NULL,
    mean          REAL,
    std           REAL,
    zero_fraction REAL,
    dead_units    INTEGER,
    separability  REAL
) STRICT;
CREATE TABLE metrics (
    run_id               TEXT NOT NULL REFERENCES runs (run_id),
    metric               TEXT NOT NULL,
    attribute            TEXT NOT NULL,
    group_value          TEXT NOT NULL,
    stratum              TEXT NOT NULL,
    reference            TEXT NOT NULL,
    output               TEXT NOT NULL,
    value                REAL,
    undefined_reason     TEXT,
    ci_low               REAL,
    ci_high              REAL,
    confidence           REAL,
    p_value              REAL,
    n                    INTEGER NOT NULL,
    n_positive           INTEGER,
    n_predicted_positive INTEGER,
    denominator          INTEGER,
    pair_a               TEXT,
    pair_b               TEXT,
    CHECK ((value IS NULL) = (undefined_reason IS NOT NULL))
) STRICT;
INSERT INTO "metrics" VALUES('01a20203-058c-7134-823a-1605aee78c5e','selection_rate','','','','','yes',4.33333333333333348136e-01,NULL,3.15723968046867697889e-01,5.58965612238744302686e-01,0.95,NULL,60,26,26,60,NULL,NULL);
INSERT INTO "metrics" VALUES('01a20203-058c-7134-823a-1605aee78c5e','selection_rate','sex','Female','','','yes',0.45,NULL,2.58197858255624357326e-01,6.57914657549657722057e-01,0.95,NULL,20,9,9,20,NULL,NULL);
INSERT INTO "metrics" VALUES('01a20203-058c-7134-823a-1605aee78c5e','selection_rate','sex','Male','','','yes',0.425,NULL,2.85093925599503750234e-01,5.78049314580089235171e-01,0.95,NULL,40,17,17,40,NULL,NULL);
INSERT INTO "metrics" VALUES('01a20203-058c-7134-823a-1605aee78c5e','demographic_parity_ratio','sex','','','','yes',9.44444444444444419772e-01,NULL,6.78414045983086633206e-01,1.0,0.95,NULL,60,26,26,20,'Male','Female');
CREATE TABLE models (
    sha256     TEXT PRIMARY KEY,
    run_id     TEXT NOT NULL REFERENCES runs (run_id),
    path       TEXT NOT NULL,
    producer   TEXT NOT NULL,
    opset      INTEGER NOT NULL,
    inputs     INTEGER NOT NULL,
    structure  TEXT NOT NULL,
    parameters INTEGER NOT NULL
) STRICT;
INSERT INTO "models" VALUES('2121aa2d6c4550468f947f0181670fffcdaab092153887fbcbf3f6f6054e6d31','01a20203-058c-7134-823a-1605aee78c5e','model.onnx','OnnxMLTools 1.16.0',0,1,'tree ensemble: 12 trees, 88 leaves, depth 3',165);
CREATE TABLE runs (
    -- Order of recording. AUTOINCREMENT never gives a number twice, so a deleted row leaves a gap.
    sequence       INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id         TEXT NOT NULL UNIQUE,
    pipeline       TEXT NOT NULL,
    as_of          TEXT NOT NULL,
    started_at     TEXT NOT NULL,
    finished_at    TEXT,
    status         TEXT NOT NULL CHECK (status IN ('succeeded', 'failed', 'aborted', 'superseded', 'pruned')),
    verdict        TEXT CHECK (verdict IN ('pass', 'fail', 'insufficient')),
    tool_version   TEXT NOT NULL,
    config_sha256  TEXT NOT NULL,
    model_sha256   TEXT NOT NULL,
    data_sha256    TEXT NOT NULL,
    -- Unique: a chain does not fork.
    prev_run_id    TEXT UNIQUE REFERENCES runs (run_id),
    chain_sha256   TEXT NOT NULL,
    seed           INTEGER NOT NULL,
    n_rows         INTEGER NOT NULL,
    explain_method TEXT NOT NULL,
    explain_scale  TEXT NOT NULL,
    -- Seconds by stage, a JSON object.
    timings        TEXT NOT NULL,
    -- The run that this one replaces (`--force`), and the run that replaced this one.
    supersedes     TEXT REFERENCES runs (run_id),
    superseded_by  TEXT REFERENCES runs (run_id),
    -- Why a failed or aborted run ended.
    error          TEXT,
    -- The results folder of this run's files, relative to the catalogue's folder where both are on one tree.
    results        TEXT NOT NULL
) STRICT;
INSERT INTO "runs" VALUES(1,'01a20203-058c-7134-823a-1605aee78c5e','credit','2026-11-20','2026-11-22T06:48:02Z','2026-11-22T06:48:02Z','succeeded','insufficient','0.1.0','929dbf9f66ca485f1bbf43211fa29d8debc903fd79be030ebe8c1ddea87e3be3','2121aa2d6c4550468f947f0181670fffcdaab092153887fbcbf3f6f6054e6d31','a7fe75d8802d934362573418ba6aa80b08dfb9950f10fa24ab84886cf668ad67',NULL,'b5e4e20dfa452fa8dafc80c2df3ed978ffd5f73bd6e8efb9729ac02528512fec',7,60,'tree','margin','{"explain":0.002494915,"fairness":0.0026303539999999997,"importance":4.49e-6,"prove":0.00009193,"read":0.003076185,"score":0.00014155,"total":0.009642455,"write":0.0010574010000000001}',NULL,NULL,NULL,'results');
INSERT INTO "runs" VALUES(2,'01a20203-05d7-731d-913b-d3ed724971e8','credit','2026-11-21','2026-11-22T06:48:02Z','2026-11-22T06:48:02Z','superseded','insufficient','0.1.0','929dbf9f66ca485f1bbf43211fa29d8debc903fd79be030ebe8c1ddea87e3be3','2121aa2d6c4550468f947f0181670fffcdaab092153887fbcbf3f6f6054e6d31','a7fe75d8802d934362573418ba6aa80b08dfb9950f10fa24ab84886cf668ad67','01a20203-058c-7134-823a-1605aee78c5e','7ce79b335ce679c8727da89ec44b93113ab78da93656a02086575b533c80e89a',7,60,'tree','margin','{"explain":0.0024920040000000004,"fairness":0.0025387839999999997,"importance":3.88e-6,"prove":0.00009416,"read":0.006077117999999999,"score":0.000131101,"total":0.012188168,"write":0.000712901}',NULL,'01a20203-0639-77b5-bbe8-5be6cb5b3114',NULL,'results');
INSERT INTO "runs" VALUES(3,'01a20203-0639-77b5-bbe8-5be6cb5b3114','credit','2026-11-21','2026-11-22T06:48:02Z','2026-11-22T06:48:02Z','succeeded','insufficient','0.1.0','929dbf9f66ca485f1bbf43211fa29d8debc903fd79be030ebe8c1ddea87e3be3','2121aa2d6c4550468f947f0181670fffcdaab092153887fbcbf3f6f6054e6d31','a7fe75d8802d934362573418ba6aa80b08dfb9950f10fa24ab84886cf668ad67','01a20203-05d7-731d-913b-d3ed724971e8','291e6e53f839421e2ab91315848775b3f0278ad377fbb4cd2804ecfcabd4b676',7,60,'tree','margin','{"explain":0.002409145,"fairness":0.002428803,"importance":4.61e-6,"prove":0.00009871,"read":0.006079389,"score":0.00024621,"total":0.012090358,"write":0.000671811}','01a20203-05d7-731d-913b-d3ed724971e8',NULL,NULL,'results');
INSERT INTO "runs" VALUES(4,'01a20203-3994-77ae-a365-3e0041ae75f7','credit','2026-11-22','2026-11-22T06:48:15Z','2026-11-22T06:48:15Z','succeeded','insufficient','0.1.0','929dbf9f66ca485f1bbf43211fa29d8debc903fd79be030ebe8c1ddea87e3be3','2121aa2d6c4550468f947f0181670fffcdaab092153887fbcbf3f6f6054e6d31','a7fe75d8802d934362573418ba6aa80b08dfb9950f10fa24ab84886cf668ad67','01a20203-0639-77b5-bbe8-5be6cb5b3114','35c028345513ecd3eb318794b092338688c0b4b3a80bf76d920493c18868396c',7,60,'tree','margin','{"explain":0.002291244,"fairness":0.003396145,"importance":3.09e-6,"prove":0.00008169,"read":0.011838456999999998,"score":0.000108951,"total":0.018502438,"write":0.0006821510000000001}',NULL,NULL,NULL,'results');
INSERT INTO "runs" VALUES(5,'01a20203-cd1b-71b7-be2e-3096af8178e5','credit','2026-11-23','2026-11-22T06:48:53Z','2026-11-22T06:48:53Z','succeeded','insufficient','0.1.0','929dbf9f66ca485f1bbf43211fa29d8debc903fd79be030ebe8c1ddea87e3be3','2121aa2d6c4550468f947f0181670fffcdaab092153887fbcbf3f6f6054e6d31','a7fe75d8802d934362573418ba6aa80b08dfb9950f10fa24ab84886cf668ad67','01a20203-3994-77ae-a365-3e0041ae75f7','b0dde7af30ebcd9fac88c089f97071530b8de98a12015c13020c7a99ec67e7fd',7,60,'tree','margin','{"explain":0.00612025,"fairness":0.0023940529999999997,"importance":4.65e-6,"prove":0.00009073,"read":0.002999105,"score":0.00017126,"total":0.012586959,"write":0.0006514709999999999}',NULL,NULL,NULL,'results');
INSERT INTO "runs" VALUES(6,'01a20203-feba-7205-8832-156bb948d074','credit','2026-11-24','2026-11-22T06:49:05Z',NULL,'aborted',NULL,'0.1.0','','','','01a20203-cd1b-71b7-be2e-3096af8178e5','7a3817abf8ad3cda29cb033fe74c8ae5d87feba359b3215b8c3c51ec6699b4e2',0,0,'','','{}',NULL,NULL,'the process ended before the run was stored','results');
INSERT INTO "runs" VALUES(7,'01a20203-ff3e-75c7-afba-09441cebeb69','credit','2026-11-25','2026-11-22T06:49:06Z','2026-11-22T06:49:06Z','succeeded','insufficient','0.1.0','929dbf9f66ca485f1bbf43211fa29d8debc903fd79be030ebe8c1ddea87e3be3','2121aa2d6c4550468f947f0181670fffcdaab092153887fbcbf3f6f6054e6d31','a7fe75d8802d934362573418ba6aa80b08dfb9950f10fa24ab84886cf668ad67','01a20203-feba-7205-8832-156bb948d074','1cd5e4e7e457fffa6c75fa24ebe81185840dbef87e1319578be5311ee027d449',7,60,'tree','margin','{"explain":0.003277724,"fairness":0.002555823,"importance":4.49e-6,"prove":0.00009095,"read":0.007007821,"score":0.00011013,"total":0.013875621,"write":0.000690302}',NULL,NULL,NULL,'results');
CREATE INDEX runs_by_pipeline ON runs (pipeline, as_of);
CREATE INDEX metrics_by_run ON metrics (run_id);
CREATE INDEX group_counts_by_run ON group_counts (run_id);
CREATE INDEX importance_by_run ON importance (run_id);
CREATE INDEX group_attributions_by_run ON group_attributions (run_id);
CREATE INDEX gates_by_run ON gates (run_id);
CREATE INDEX drift_by_run ON drift (run_id);
CREATE INDEX curves_by_run ON curves (run_id);
CREATE INDEX artifacts_by_kind ON artifacts (kind);
CREATE INDEX layers_by_run ON layers (run_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('runs',7);
PRAGMA application_id = 1886547810;
PRAGMA user_version = 1;
